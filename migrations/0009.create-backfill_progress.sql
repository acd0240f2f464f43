-- How far a backfill is, so that one that was stopped goes on there, and the functions of the commands: backfill, explain, org,
-- member and session.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0008.link-submissions

CREATE TABLE IF NOT EXISTS sessiondb.backfill_progress (
    turn bigint PRIMARY KEY,
    table_name pg_catalog.name NOT NULL,
    partition pg_catalog.regclass NOT NULL,
    relfilenode pg_catalog.oid NOT NULL,
    session_id pg_catalog.uuid,
    second_pass boolean NOT NULL DEFAULT false,
    position pg_catalog.jsonb,
    scanned bigint NOT NULL DEFAULT 0,
    linked bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    reasons pg_catalog.jsonb NOT NULL DEFAULT '{}',
    started_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),
    finished_at pg_catalog.timestamptz
);

COMMENT ON TABLE sessiondb.backfill_progress IS 'How far the last backfill is, a row for each table or partition';
COMMENT ON COLUMN sessiondb.backfill_progress.session_id IS 'The session that the backfill is limited to, NULL for all';
COMMENT ON COLUMN sessiondb.backfill_progress.second_pass IS 'True while the rows are taken that somebody had locked at first';
COMMENT ON COLUMN sessiondb.backfill_progress.skipped IS 'How many rows this pass left, because somebody had locked or just changed them';
COMMENT ON COLUMN sessiondb.backfill_progress.started_at IS 'What was linkable then is linked when the table is finished';
COMMENT ON COLUMN sessiondb.backfill_progress.position IS 'Where the next batch begins, for instance {"block": 128}; NULL is the beginning';
COMMENT ON COLUMN sessiondb.backfill_progress.reasons IS 'How many rows cannot be linked, by reason';

-- object: function add_member
-- object: function add_session
-- object: function ask
-- object: function backfill
-- object: function backfill_counts
-- object: function backfill_partitions
-- object: function backfill_remarks
-- object: function backfill_step
-- object: function backfill_users
-- object: function begin_backfill
-- object: function change_member_role
-- object: function change_session_status
-- object: function choose_for_pages
-- object: function choose_sessions
-- object: function count_linkable
-- object: function create_org
-- object: function enrolled_sessions
-- object: function explain_course
-- object: function explain_facts
-- object: function explain_link
-- object: function explain_outcome
-- object: function explain_row
-- object: function explain_steps
-- object: function find_named
-- object: function find_similar
-- object: function grouped_rows
-- object: function hidden_tables
-- object: function keep_batch
-- object: function link_batch
-- object: function lock_rows
-- object: function link_users
-- object: function list_names
-- object: function name_of
-- object: function names_in
-- object: function next_batch
-- object: function org_command
-- object: function org_of_slug
-- object: function query_of_course
-- object: function remove_member
-- object: function require_name
-- object: function require_trusted
-- object: function require_types
-- object: function require_visible
-- object: function session_status
-- object: function sessions_for_user
-- object: function shell_name
-- object: function table_of_users
-- object: function triggers_that_fire
-- object: function write_links

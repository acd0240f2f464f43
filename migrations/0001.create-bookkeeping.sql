-- Schema sessiondb: the ledger (yoyo-migrations' tables, so that its own tools can read it), and what
-- we know of the platform and of the objects that we made in it.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.

-- squawk-ignore-file prefer-text-field, prefer-timestamp-tz, prefer-bigint-over-int

CREATE SCHEMA IF NOT EXISTS sessiondb;

COMMENT ON SCHEMA sessiondb IS
    'sessiondb: links enrolments and submissions to training sessions; nothing in here is meant for applications';

REVOKE ALL ON SCHEMA sessiondb FROM PUBLIC;

-- The three tables of yoyo-migrations 9, with the columns and the version mark that it expects.
CREATE TABLE IF NOT EXISTS sessiondb._yoyo_migration (
    migration_hash varchar(64) PRIMARY KEY,
    migration_id varchar(255),
    applied_at_utc timestamp
);

COMMENT ON TABLE sessiondb._yoyo_migration IS 'The migrations that are applied (yoyo-migrations)';

CREATE TABLE IF NOT EXISTS sessiondb._yoyo_log (
    id varchar(36) PRIMARY KEY,
    migration_hash varchar(64),
    migration_id varchar(255),
    operation varchar(10),
    username varchar(255),
    hostname varchar(255),
    comment varchar(255),
    created_at_utc timestamp
);

COMMENT ON TABLE sessiondb._yoyo_log IS 'Every apply and rollback of a migration, by whom and when (yoyo-migrations)';

CREATE TABLE IF NOT EXISTS sessiondb._yoyo_version (
    version integer PRIMARY KEY,
    installed_at_utc timestamp
);

COMMENT ON TABLE sessiondb._yoyo_version IS 'The version of the ledger''s own tables (yoyo-migrations)';

INSERT INTO sessiondb._yoyo_version (version, installed_at_utc)
SELECT v.version, pg_catalog.timezone('UTC', pg_catalog.now())
  FROM (VALUES (1), (2)) AS v (version)
ON CONFLICT DO NOTHING;

-- yoyo's hash is of a migration's name only; this one is of its text.
CREATE TABLE IF NOT EXISTS sessiondb.migration_content (
    migration_id pg_catalog.text PRIMARY KEY,
    sha256 pg_catalog.text NOT NULL
);

COMMENT ON TABLE sessiondb.migration_content IS 'What each applied migration said';
COMMENT ON COLUMN sessiondb.migration_content.sha256 IS
    'SHA-256 of its text; line endings, trailing blanks and the lines that name objects do not count';

CREATE TABLE IF NOT EXISTS sessiondb.installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    platform_schema pg_catalog.name NOT NULL,
    search_path pg_catalog.text NOT NULL,
    version pg_catalog.text NOT NULL,
    course_path pg_catalog.text,
    course_pieces pg_catalog.text[],
    course_joins pg_catalog.jsonb
);

COMMENT ON TABLE sessiondb.installation IS 'What sessiondb knows of its platform; one row';
COMMENT ON COLUMN sessiondb.installation.platform_schema IS 'The schema with sessions, enrollments and submissions';
COMMENT ON COLUMN sessiondb.installation.search_path IS
    'Of the functions that the platform calls: the path that the connection of apply began with, and pg_temp';
COMMENT ON COLUMN sessiondb.installation.version IS 'The version of sessiondb that applied last; an older one does not work on this database';
COMMENT ON COLUMN sessiondb.installation.course_path IS 'The columns that lead from a submission to its course';
COMMENT ON COLUMN sessiondb.installation.course_pieces IS
    'The SQL expression of a submission''s course, cut where the name of its row belongs';
COMMENT ON COLUMN sessiondb.installation.course_joins IS
    'What is joined with what from submissions to courses: from, columns, to, keys, operators';

CREATE TABLE IF NOT EXISTS sessiondb.objects (
    kind pg_catalog.text NOT NULL CHECK (kind OPERATOR(pg_catalog.=) ANY ('{column,constraint,index,function,trigger}')),
    parent pg_catalog.name NOT NULL,
    name pg_catalog.name NOT NULL,
    arguments pg_catalog.text NOT NULL DEFAULT '',
    migration pg_catalog.text NOT NULL,
    origin pg_catalog.text NOT NULL CHECK (origin OPERATOR(pg_catalog.=) ANY ('{created,found,replaced}')),
    sha256 pg_catalog.text,
    facts pg_catalog.jsonb,
    previous_definition pg_catalog.text,
    PRIMARY KEY (kind, parent, name)
);

COMMENT ON TABLE sessiondb.objects IS 'The objects that sessiondb needs in the platform, and which of them were there before';
COMMENT ON COLUMN sessiondb.objects.parent IS
    'The table of a column, constraint, index or trigger; the schema of a function, "platform" for the platform''s';
COMMENT ON COLUMN sessiondb.objects.migration IS 'The number of the migration that it came with';
COMMENT ON COLUMN sessiondb.objects.origin IS 'created by us; found, and left alone by a rollback; replaced, and restored by a rollback';
COMMENT ON COLUMN sessiondb.objects.sha256 IS 'SHA-256 of the text of a function or trigger as it was compiled for this platform';
COMMENT ON COLUMN sessiondb.objects.facts IS 'As the catalogs showed it when it was made; NULL of an index or key whose job another one does';
COMMENT ON COLUMN sessiondb.objects.previous_definition IS 'What was there before us';

-- object: function compile
-- object: function course_expression
-- object: function distribute_saved_links
-- object: function grant_to_readers
-- object: function hold_tables
-- object: function install
-- object: function install_policy
-- object: function install_routine
-- object: function install_trigger
-- object: function is_of_this_transaction
-- object: function is_restoring
-- object: function key_is_to_come
-- object: function lock_table
-- object: function lock_tables
-- object: function note_change
-- object: function platform_path
-- object: function require_owner
-- object: function require_tables
-- object: function run_on_platform
-- object: function secure_schema
-- object: function table_not_noted
-- object: function types_of_others

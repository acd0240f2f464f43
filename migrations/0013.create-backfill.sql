-- Linking the rows that were there before their session: one batch, its progress, and the loop.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0012.create-submissions-triggers

CREATE TABLE IF NOT EXISTS sessiondb.backfill_progress (
    turn bigint PRIMARY KEY,
    table_name name NOT NULL,
    partition regclass NOT NULL,
    relfilenode oid NOT NULL,
    session_id uuid,
    second_pass boolean NOT NULL DEFAULT false,
    next_block bigint NOT NULL DEFAULT 0,
    scanned bigint NOT NULL DEFAULT 0,
    linked bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    finished_at timestamptz
);

COMMENT ON TABLE sessiondb.backfill_progress IS 'How far the last backfill is, a row for each table or partition';
COMMENT ON COLUMN sessiondb.backfill_progress.session_id IS 'The session that the backfill is limited to, NULL for all';
COMMENT ON COLUMN sessiondb.backfill_progress.second_pass IS 'True while the rows are taken that somebody had locked at first';
COMMENT ON COLUMN sessiondb.backfill_progress.skipped IS 'How many rows this pass left, because somebody had locked or just changed them';
COMMENT ON COLUMN sessiondb.backfill_progress.started_at IS 'What was linkable then is linked when the table is finished';
COMMENT ON COLUMN sessiondb.backfill_progress.next_block IS 'The page where the next batch begins';
COMMENT ON COLUMN sessiondb.backfill_progress.reasons IS 'How many rows cannot be linked, by reason';

DO $claim$
BEGIN
    CALL sessiondb.claim('function', 'sessiondb', 'choose_sessions');
    CALL sessiondb.claim('function', 'sessiondb', 'link_batch');
    CALL sessiondb.claim('function', 'sessiondb', 'add_counts');
    CALL sessiondb.claim('function', 'sessiondb', 'backfill_partitions');
    CALL sessiondb.claim('function', 'sessiondb', 'backfill_remarks');
    CALL sessiondb.claim('function', 'sessiondb', 'begin_backfill');
    CALL sessiondb.claim('function', 'sessiondb', 'backfill_step');
    CALL sessiondb.claim('function', 'sessiondb', 'backfill_counts');
    CALL sessiondb.claim('function', 'sessiondb', 'backfill');
END
$claim$;

CREATE OR REPLACE FUNCTION sessiondb.choose_sessions(p_user_ids uuid[], p_course_ids uuid[], p_by_enrollment boolean)
RETURNS TABLE (user_id uuid, course_id uuid, session_id uuid, reason text)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * For each pair of a user and a course the session that the triggers would choose now, and where there
 * is none, why: for the backfill, for explain, show and check. SECURITY INVOKER, and meant to be
 * called: whoever asks is told what he may read himself.
 *
 * p_by_enrollment: for submissions, whose first choice is the session of the student's enrolment; LIMIT 1
 * keeps the joins in order as in link_submission.
 *
 * reason is the first that is true of: course_unknown; no_membership, the user is in no organisation;
 * no_session_for_course, no organisation has one; no_active_session, an organisation of the user has
 * sessions of the course, none of them active; session_in_other_org, only others have one.
 */
WITH choice AS MATERIALIZED (
    SELECT p.user_id, p.course_id,
           coalesce(
               (SELECT eligible.id
                  FROM enrollments AS e
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM sessions AS s
                         WHERE s.id = e.session_id
                           AND s.course_id = e.course_id
                           AND s.status OPERATOR(pg_catalog.=) 'active'
                           AND EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = e.user_id)
                         LIMIT 1
                       ) AS eligible
                 WHERE p_by_enrollment
                   AND e.user_id = p.user_id
                   AND e.course_id = p.course_id
                 ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
                 LIMIT 1),
               (SELECT newest.id
                  FROM org_members AS m
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM sessions AS s
                         WHERE s.org_id = m.org_id
                           AND s.course_id = p.course_id
                           AND s.status OPERATOR(pg_catalog.=) 'active'
                         ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                         LIMIT 1
                       ) AS newest
                 WHERE m.user_id = p.user_id
                 ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
                 LIMIT 1)
           ) AS session_id
      FROM ROWS FROM (pg_catalog.unnest(p_user_ids), pg_catalog.unnest(p_course_ids)) AS p (user_id, course_id)
)
SELECT c.user_id, c.course_id, c.session_id,
       CASE
           WHEN c.session_id IS NOT NULL THEN NULL
           WHEN c.course_id IS NULL
             OR NOT EXISTS (SELECT FROM courses AS k WHERE k.id = c.course_id) THEN 'course_unknown'
           WHEN NOT EXISTS (SELECT FROM org_members AS m WHERE m.user_id = c.user_id) THEN 'no_membership'
           WHEN c.course_id NOT IN (SELECT s.course_id FROM sessions AS s WHERE s.course_id IS NOT NULL)
           THEN 'no_session_for_course'
           WHEN EXISTS (
                SELECT FROM org_members AS m
                  JOIN sessions AS s ON s.org_id = m.org_id
                 WHERE m.user_id = c.user_id AND s.course_id = c.course_id) THEN 'no_active_session'
           ELSE 'session_in_other_org'
       END
  FROM choice AS c
$function$;

COMMENT ON FUNCTION sessiondb.choose_sessions(uuid[], uuid[], boolean) IS
    'The session that the triggers would choose for each user and course, or the reason why there is none';

CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.link_batch(
    p_table name, p_partition regclass, p_from_block bigint, p_to_block bigint, p_session_id uuid, p_mode text
)
RETURNS TABLE (scanned bigint, linked bigint, skipped bigint, reasons jsonb)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Links the rows without a session in a range of pages of enrollments or submissions (p_table), or of
 * one partition of it, to what the trigger would choose now, and counts those for which there is nothing to choose, by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 * p_mode        link: a row that somebody else has locked is skipped; wait: it is waited for, and skipped
 *               if it was changed meanwhile; count: nothing is written, and linked is what would be
 *
 * Only rows that get a session are locked, and no more strongly than an UPDATE of a column that is no
 * key does. From one statement to the next the rows are kept in arrays, whose length the planner knows:
 * of a column that was added just now it knows nothing, takes the rows without a session for a few, and
 * would compare each with each. The SQL is put together for the name of the partition alone.
 */
DECLARE
    v_from tid := pg_catalog.format('(%s,0)', p_from_block)::tid;
    v_to tid := pg_catalog.format('(%s,0)', p_to_block)::tid;
    v_row_ids tid[];
    v_user_ids uuid[];
    v_course_ids uuid[];
    v_session_ids uuid[];
BEGIN
    EXECUTE pg_catalog.format(
        $read$
        SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(r.user_id), pg_catalog.array_agg(%s)
          FROM ONLY %s AS r
         WHERE r.ctid >= $1 AND r.ctid < $2
           AND r.session_id IS NULL
        $read$,
        CASE p_table WHEN 'submissions' THEN $course$course_of(r)$course$ ELSE 'r.course_id' END, p_partition)
       INTO v_row_ids, v_user_ids, v_course_ids
      USING v_from, v_to;

    WITH candidate AS (
        SELECT c.row_id, c.user_id, c.course_id
          FROM ROWS FROM (pg_catalog.unnest(v_row_ids), pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids))
               AS c (row_id, user_id, course_id)
    ),
    pair AS (
        SELECT pg_catalog.array_agg(d.user_id) AS user_ids, pg_catalog.array_agg(d.course_id) AS course_ids
          FROM (SELECT DISTINCT c.user_id, c.course_id
                  FROM candidate AS c
                 WHERE c.user_id IS NOT NULL AND c.course_id IS NOT NULL) AS d
    ),
    choice AS (
        SELECT s.*
          FROM pair AS p
         CROSS JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, p_table = 'submissions') AS s
    ),
    outcome AS (
        SELECT c.row_id, h.session_id,
               CASE
                   WHEN c.course_id IS NULL THEN 'course_unknown'
                   WHEN c.user_id IS NULL THEN 'no_membership'
                   ELSE h.reason
               END AS reason
          FROM candidate AS c
          LEFT JOIN choice AS h ON h.user_id = c.user_id AND h.course_id = c.course_id
         WHERE p_session_id IS NULL OR h.session_id = p_session_id
    )
    SELECT pg_catalog.count(*),
           pg_catalog.array_agg(o.row_id) FILTER (WHERE o.session_id IS NOT NULL),
           pg_catalog.array_agg(o.session_id) FILTER (WHERE o.session_id IS NOT NULL),
           (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), '{}')
              FROM (SELECT o.reason, pg_catalog.count(*) AS rows
                      FROM outcome AS o WHERE o.session_id IS NULL GROUP BY o.reason) AS u)
      INTO scanned, v_row_ids, v_session_ids, reasons
      FROM outcome AS o;
    linked := coalesce(pg_catalog.cardinality(v_row_ids), 0);
    skipped := 0;

    IF linked > 0 AND p_mode <> 'count' THEN
        EXECUTE pg_catalog.format(
            $lock$
            SELECT pg_catalog.array_agg(l.row_id), pg_catalog.array_agg(l.session_id)
              FROM (SELECT r.ctid AS row_id, c.session_id
                      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS c (row_id, session_id)
                      JOIN ONLY %s AS r ON r.ctid = c.row_id
                     WHERE r.ctid >= $3 AND r.ctid < $4
                       AND r.session_id IS NULL
                       FOR NO KEY UPDATE OF r %s) AS l
            $lock$,
            p_partition, CASE p_mode WHEN 'link' THEN 'SKIP LOCKED' END)
           INTO v_row_ids, v_session_ids
          USING v_row_ids, v_session_ids, v_from, v_to;
        skipped := linked - coalesce(pg_catalog.cardinality(v_row_ids), 0);

        EXECUTE pg_catalog.format(
            $update$
            UPDATE ONLY %s AS r
               SET session_id = l.session_id
              FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (row_id, session_id)
             WHERE r.ctid = l.row_id
               AND r.ctid >= $3 AND r.ctid < $4
            $update$,
            p_partition)
          USING v_row_ids, v_session_ids, v_from, v_to;
        GET DIAGNOSTICS linked = ROW_COUNT;
    END IF;
    RETURN NEXT;
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.link_batch(name, regclass, bigint, bigint, uuid, text) IS
    'Links the rows without a session in a range of pages of a table, or counts what it would link';

REVOKE ALL ON FUNCTION sessiondb.link_batch(name, regclass, bigint, bigint, uuid, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.add_counts(p_one jsonb, p_other jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The sum of two objects of counts: {"a": 1} and {"a": 2, "b": 3} give {"a": 3, "b": 3}.
 */
SELECT coalesce(jsonb_object_agg(s.key, s.count), '{}')
  FROM (SELECT e.key, sum(e.value::bigint)::bigint AS count
          FROM (SELECT * FROM jsonb_each_text(p_one) UNION ALL SELECT * FROM jsonb_each_text(p_other)) AS e
         GROUP BY e.key) AS s
$function$;

COMMENT ON FUNCTION sessiondb.add_counts(jsonb, jsonb) IS 'The sum of two objects of counts';

REVOKE ALL ON FUNCTION sessiondb.add_counts(jsonb, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.backfill_partitions()
RETURNS TABLE (table_name name, partition regclass, blocks bigint)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The tables that a backfill walks, or their partitions, in its order: enrolments first, since
 * submissions follow them; and how many pages each has.
 */
SELECT t.table_name, c.oid::regclass, pg_relation_size(c.oid) / current_setting('block_size')::integer
  FROM sessiondb.installation AS i
 CROSS JOIN (VALUES (1, 'enrollments'::name), (2, 'submissions')) AS t (turn, table_name)
 CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', i.platform_schema, t.table_name)) AS relid) AS root
 CROSS JOIN LATERAL (
        SELECT root.relid
         UNION
        SELECT p.relid FROM pg_partition_tree(root.relid) AS p WHERE p.isleaf
       ) AS leaf
  JOIN pg_class AS c ON c.oid = leaf.relid AND c.relkind = 'r'
 ORDER BY t.turn, c.oid
$function$;

COMMENT ON FUNCTION sessiondb.backfill_partitions() IS 'The tables or partitions that a backfill walks, in its order';

REVOKE ALL ON FUNCTION sessiondb.backfill_partitions() FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.backfill_remarks(p_session_id uuid)
RETURNS SETOF text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * What to know before a backfill, of this session or of all (NULL): that nothing is linked to a session that is
 * not active, and which triggers of the platform fire, since linking is an UPDATE of each row: they may write
 * updated_at, or refuse it. On a partitioned table those of the partitions fire.
 */
SELECT pg_catalog.format('Session %s is %s, and only active ones are chosen: nothing will be linked to it.', s.id, s.status)
  FROM sessions AS s
 WHERE s.id = p_session_id
   AND NOT s.status OPERATOR(pg_catalog.=) 'active'
UNION ALL
SELECT pg_catalog.format('Linking a row of %s fires the platform''s triggers on UPDATE: %s.',
                         b.table_name, pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(t.tgname), ', '))
  FROM sessiondb.backfill_partitions() AS b
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = b.partition::oid AND a.attname = 'session_id'
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = a.attrelid
 WHERE NOT t.tgisinternal
   AND NOT pg_catalog.starts_with(t.tgname::text, 'zzz_sessiondb_')
   AND t.tgenabled IN ('O', 'A')
   AND t.tgtype & 16::smallint > 0::smallint
   AND (a.attnum = ANY (t.tgattr) OR pg_catalog.cardinality(t.tgattr::smallint[]) = 0)
 GROUP BY b.table_name
$function$;

COMMENT ON FUNCTION sessiondb.backfill_remarks(uuid) IS 'What to know before a backfill: which triggers of the platform fire, for instance';

REVOKE ALL ON FUNCTION sessiondb.backfill_remarks(uuid) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.begin_backfill(p_session_id uuid)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path FROM CURRENT
AS $procedure$
/*
 * Makes ready for backfill_step(): one row of sessiondb.backfill_progress for each table, or for each
 * partition of it, enrolments first, since submissions follow them. A backfill with the same argument
 * that was stopped on its way goes on where it was, and does not look again at what it had passed.
 */
BEGIN
    -- a mistyped id must not take the progress of a backfill away that was stopped
    IF p_session_id IS NOT NULL AND NOT EXISTS (SELECT FROM sessions AS s WHERE s.id = p_session_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;

    IF EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.finished_at IS NULL)
        AND NOT EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.session_id IS DISTINCT FROM p_session_id)
    THEN
        UPDATE sessiondb.backfill_progress AS p
           SET started_at = pg_catalog.now()
         WHERE p.finished_at IS NULL AND p.next_block = 0;
        RETURN;
    END IF;

    DELETE FROM sessiondb.backfill_progress;
    INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)
    SELECT b.turn, b.table_name, b.partition, c.relfilenode, p_session_id
      FROM sessiondb.backfill_partitions() WITH ORDINALITY AS b (table_name, partition, blocks, turn)
      JOIN pg_catalog.pg_class AS c ON c.oid = b.partition::oid;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.begin_backfill(uuid) IS
    'Makes ready for backfill_step(), or to go on with a backfill that was stopped';

REVOKE ALL ON PROCEDURE sessiondb.begin_backfill(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.backfill_step(p_rows integer)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Links the next batch of old rows, about p_rows of the table, and keeps the progress in the same
 * transaction: whatever stops a backfill, at most one batch is done again. Returns what the batch did
 * and how many pages of all tables are behind us; no row when the backfill is finished.
 *
 * Rows that somebody else had locked are waited for in a second pass over their table. One that was changed
 * meanwhile may be anywhere in it now, and lead to another session or to none: so passes follow until one
 * has skipped no row, and each counts anew.
 */
DECLARE
    v_progress sessiondb.backfill_progress;
    v_relfilenode oid;
    v_blocks bigint;
    v_to bigint;
    v_result record;
BEGIN
    LOOP
        SELECT p.* INTO v_progress
          FROM sessiondb.backfill_progress AS p
         WHERE p.finished_at IS NULL
         ORDER BY p.turn
         LIMIT 1
           FOR UPDATE;
        IF NOT FOUND THEN
            -- partitions that were attached meanwhile
            INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)
            SELECT known.turn + row_number() OVER (), b.table_name, b.partition, c.relfilenode, known.session_id
              FROM sessiondb.backfill_partitions() AS b
              JOIN pg_class AS c ON c.oid = b.partition
             CROSS JOIN (SELECT p.turn, p.session_id FROM sessiondb.backfill_progress AS p ORDER BY p.turn DESC LIMIT 1) AS known
             WHERE b.partition NOT IN (SELECT p.partition FROM sessiondb.backfill_progress AS p);
            CONTINUE WHEN FOUND;
            RETURN;
        END IF;

        SELECT c.relfilenode INTO v_relfilenode
          FROM pg_class AS c
         CROSS JOIN sessiondb.installation AS i
         WHERE c.oid = v_progress.partition
           AND coalesce(pg_partition_root(c.oid), c.oid) = to_regclass(format('%I.%I', i.platform_schema, v_progress.table_name));
        IF NOT FOUND THEN
            -- detached or dropped meanwhile: what was linked there stays counted
            UPDATE sessiondb.backfill_progress AS p
               SET finished_at = now()
             WHERE p.turn = v_progress.turn;
            CONTINUE;
        ELSIF v_relfilenode <> v_progress.relfilenode THEN
            -- the pages of a table that was rewritten are not those that we have seen
            UPDATE sessiondb.backfill_progress AS p
               SET relfilenode = v_relfilenode, started_at = now(),
                   next_block = 0, second_pass = false, scanned = p.linked, skipped = 0, reasons = '{}'
             WHERE p.turn = v_progress.turn;
            CONTINUE;
        END IF;
        v_blocks := pg_relation_size(v_progress.partition) / current_setting('block_size')::integer;
        EXIT WHEN v_progress.next_block < v_blocks;

        IF v_progress.skipped > 0 THEN
            UPDATE sessiondb.backfill_progress AS p
               SET next_block = 0, second_pass = true, scanned = p.linked, skipped = 0, reasons = '{}'
             WHERE p.turn = v_progress.turn;
        ELSE
            UPDATE sessiondb.backfill_progress AS p SET finished_at = now() WHERE p.turn = v_progress.turn;
        END IF;
    END LOOP;

    -- about 50 rows on a page, where the statistics are of none or of a time when the table was much smaller;
    -- the backfill itself makes it twice as large
    SELECT least(v_progress.next_block + greatest(1, p_rows / s.rows_on_page)::bigint, v_blocks)
      INTO v_to
      FROM pg_class AS c
     CROSS JOIN LATERAL (
            SELECT CASE WHEN c.reltuples > 0 AND c.relpages * 3 >= v_blocks THEN c.reltuples / c.relpages ELSE 50 END AS rows_on_page
           ) AS s
     WHERE c.oid = v_progress.partition;

    SELECT b.* INTO v_result
      FROM sessiondb.link_batch(
               v_progress.table_name, v_progress.partition, v_progress.next_block, v_to, v_progress.session_id,
               CASE WHEN v_progress.second_pass THEN 'wait' ELSE 'link' END) AS b;

    UPDATE sessiondb.backfill_progress AS p
       SET next_block = v_to,
           scanned = p.scanned + v_result.scanned,
           linked = p.linked + v_result.linked,
           skipped = p.skipped + v_result.skipped,
           reasons = sessiondb.add_counts(p.reasons, v_result.reasons)
     WHERE p.turn = v_progress.turn;

    RETURN QUERY
        SELECT v_progress.table_name, v_result.scanned, v_result.linked,
               sum(CASE WHEN p.finished_at IS NULL THEN p.next_block ELSE s.blocks END)::bigint, sum(s.blocks)::bigint
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN LATERAL (
                SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks
               ) AS s;
END
$function$;

COMMENT ON FUNCTION sessiondb.backfill_step(integer) IS
    'Links the next batch of old rows and keeps the progress; no row when the backfill is finished';

REVOKE ALL ON FUNCTION sessiondb.backfill_step(integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.backfill_counts()
RETURNS TABLE (table_name name, scanned bigint, linked bigint, unlinkable bigint, reasons jsonb, as_of timestamptz)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * What the last backfill has done with each table so far, also over several runs: the rows without a
 * session that it has looked at, those that it linked, and those that it cannot link, by reason.
 * What was linkable at the time as_of is linked when it is finished.
 */
SELECT t.table_name, t.scanned, t.linked, u.unlinkable, u.reasons, t.as_of
  FROM (
        SELECT k.turn, k.table_name, coalesce(sum(p.scanned), 0)::bigint AS scanned,
               coalesce(sum(p.linked), 0)::bigint AS linked, min(p.started_at) AS as_of
          FROM (VALUES (1, 'enrollments'::name), (2, 'submissions')) AS k (turn, table_name)
          LEFT JOIN sessiondb.backfill_progress AS p ON p.table_name = k.table_name
         GROUP BY k.turn, k.table_name
       ) AS t
 CROSS JOIN LATERAL (
        SELECT coalesce(sum(r.rows), 0)::bigint AS unlinkable,
               coalesce(jsonb_object_agg(r.reason, r.rows), '{}') AS reasons
          FROM (
                SELECT e.key AS reason, sum(e.value::bigint)::bigint AS rows
                  FROM sessiondb.backfill_progress AS p
                 CROSS JOIN LATERAL jsonb_each_text(p.reasons) AS e
                 WHERE p.table_name = t.table_name
                 GROUP BY e.key
               ) AS r
       ) AS u
 ORDER BY t.turn
$function$;

COMMENT ON FUNCTION sessiondb.backfill_counts() IS
    'What the last backfill has looked at and linked so far, and what it cannot link, by reason';

REVOKE ALL ON FUNCTION sessiondb.backfill_counts() FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.backfill(p_session_id uuid DEFAULT NULL)
LANGUAGE plpgsql
SECURITY INVOKER
AS $procedure$
/*
 * Links all old rows, in short transactions of about 200 ms each: CALL sessiondb.backfill() in psql,
 * outside a transaction. Stopped on its way it goes on there when it is called again. Notices tell
 * every five seconds how far it is, and at the end what it linked, and what it cannot link and why.
 *
 * No search_path is pinned, since a procedure that has settings of its own may not commit; instead
 * each transaction sets it, before anything that a caller's path could change the meaning of. The
 * advisory lock is the one that apply takes, too.
 *
 * A statement_timeout of the caller's is for the whole CALL, which cannot lift it; a lock_timeout of
 * the caller's holds where it is shorter than ours.
 */
DECLARE
    v_rows integer := 1000;
    v_call timestamptz := pg_catalog.now();
    v_begun boolean := false;
    v_began timestamptz;
    v_told timestamptz := pg_catalog.clock_timestamp();
    v_step record;
    v_linked bigint := 0;
    v_done boolean;
    v_tries integer := 0;
    v_took double precision;
    v_remark text;
    v_counts record;
    v_reason record;
BEGIN
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        -- for each batch anew, so that it is let go however this ends
        IF NOT pg_catalog.pg_try_advisory_xact_lock(8315179226536832612) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = 'another sessiondb run works on this database',
                HINT = 'Call it again when that has ended.';
        END IF;
        IF NOT v_begun THEN
            IF current_setting('statement_timeout') <> '0' THEN
                RAISE NOTICE USING
                    MESSAGE = format('statement_timeout ends this call after %s; what is linked by then stays linked', current_setting('statement_timeout')),
                    HINT = 'Call it again to go on, or first: SET statement_timeout TO 0';
            END IF;
            CALL sessiondb.begin_backfill(p_session_id);
            FOR v_remark IN SELECT r.remark FROM sessiondb.backfill_remarks(p_session_id) AS r (remark) LOOP
                RAISE NOTICE '%', v_remark;
            END LOOP;
            v_begun := true;
        END IF;
        v_began := clock_timestamp();
        -- or else others would wait for the rows of this batch as long as it waits for one that stays locked
        PERFORM set_config('lock_timeout', least(nullif(s.setting::integer, 0), 2000)::text, true)
           FROM pg_settings AS s
          WHERE s.name = 'lock_timeout';
        BEGIN
            SELECT s.* INTO v_step FROM sessiondb.backfill_step(v_rows) AS s;
            v_done := NOT FOUND;
            v_tries := 0;
            v_linked := v_linked + coalesce(v_step.linked, 0);
        EXCEPTION WHEN foreign_key_violation OR check_violation OR lock_not_available OR deadlock_detected
                    OR serialization_failure OR undefined_table THEN
            -- a session, a membership, a row or a partition has just changed, or is about to: the batch is done
            -- again after a pause
            v_tries := v_tries + 1;
            v_done := false;
            IF v_tries > 5 THEN
                RAISE NOTICE USING
                    MESSAGE = format('stopped; linked by this call: %s', v_linked),
                    HINT = 'What is linked stays linked; call it again to go on.';
                RAISE;
            END IF;
            RAISE NOTICE 'the batch is tried again: %', SQLERRM;
            PERFORM pg_sleep(0.1 * v_tries);
        END;
        EXIT WHEN v_done;
        IF v_tries = 0 AND clock_timestamp() > v_told + interval '5 seconds' THEN
            v_told := clock_timestamp();
            RAISE NOTICE 'linked by this call: %; pages: % of %', v_linked, v_step.blocks_done, v_step.blocks_total;
        END IF;
        v_took := greatest(EXTRACT(epoch FROM clock_timestamp() - v_began)::double precision, 0.001);
        -- no more than 5000: after pages with nothing to link may come some with much
        v_rows := least(greatest(v_rows * least(greatest(0.2 / v_took, 0.5), 2.0), 100), 5000)::integer;
        COMMIT;
    END LOOP;
    FOR v_counts IN SELECT c.* FROM sessiondb.backfill_counts() AS c LOOP
        RAISE NOTICE '%: % linked, % cannot be.', v_counts.table_name, v_counts.linked, v_counts.unlinkable;
        FOR v_reason IN SELECT e.key, e.value FROM jsonb_each_text(v_counts.reasons) AS e ORDER BY e.key LOOP
            RAISE NOTICE '  %: %', v_reason.key, v_reason.value;
        END LOOP;
        IF v_counts.as_of < v_call THEN
            RAISE NOTICE 'What has become linkable since % may not be linked yet: call it again.', date_trunc('second', v_counts.as_of);
        END IF;
    END LOOP;
    COMMIT;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.backfill(uuid) IS
    'Links all old rows, or those that belong to one session, in short transactions';

REVOKE ALL ON PROCEDURE sessiondb.backfill(uuid) FROM PUBLIC;

CALL sessiondb.withdraw_default_grants();

CALL sessiondb.record_definitions();

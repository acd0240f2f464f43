SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA sessiondb;
ALTER SCHEMA sessiondb OWNER TO postgres;
COMMENT ON SCHEMA sessiondb IS 'sessiondb: links enrolments and submissions to training sessions; nothing in here is meant for applications';
CREATE FUNCTION public.get_user_session_for_course(p_user_id uuid, p_course_id uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'public', 'pg_temp'
    AS $$
/*
 * The session of a user in a course, for the platform to ask: word for word sessiondb.find_session(), but for the lock.
 * Two of them, because an application has no way into schema sessiondb, and the triggers must not depend on what others
 * may make in the platform's schema, where one more function of this name would do to make their call ambiguous.
 *
 * SECURITY INVOKER: a caller is told nothing that his own rights and row policies hide from him.
 */
DECLARE
    v_session_id pg_catalog.uuid;
BEGIN
    SELECT newest.id
      INTO v_session_id
      FROM (SELECT org_id AS of_org
              FROM public.org_members
             WHERE user_id OPERATOR(pg_catalog.=) p_user_id) AS member
     CROSS JOIN LATERAL (
            SELECT id, created_at
              FROM public.sessions
             WHERE org_id OPERATOR(pg_catalog.=) member.of_org
               AND course_id OPERATOR(pg_catalog.=) p_course_id
               AND status OPERATOR(pg_catalog.=) 'active'
             ORDER BY created_at DESC NULLS LAST, id DESC
             LIMIT 1
           ) AS newest
     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
     LIMIT 1;

    RETURN v_session_id;
END
$$;
ALTER FUNCTION public.get_user_session_for_course(p_user_id uuid, p_course_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION public.get_user_session_for_course(p_user_id uuid, p_course_id uuid) IS 'The newest active session of the course in one of the user''s organisations, NULL if none (sessiondb)';
CREATE FUNCTION public.own_link() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN NEW.session_id := (SELECT s.id FROM sessions AS s WHERE s.course_id = NEW.course_id LIMIT 1); RETURN NEW; END$$;
ALTER FUNCTION public.own_link() OWNER TO postgres;
CREATE FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text DEFAULT 'student'::text) RETURNS TABLE(org_id uuid, user_id uuid, role text, created boolean)
    LANGUAGE plpgsql
    AS $$
/*
 * Makes the user a member of the organisation; one who is a member already keeps the role he has. Whether the user
 * exists is for the platform's own foreign key to say.
 */
#variable_conflict use_column
DECLARE
    v_org_id pg_catalog.uuid := sessiondb.org_of_slug(p_org_slug);
    v_role public.org_members.role%TYPE;
BEGIN
    IF p_role OPERATOR(pg_catalog.!~) '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the role of a member cannot be empty',
            HINT = 'Leave it out to make the user a student.';
    END IF;

    RETURN QUERY
        SELECT m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, m.role::pg_catalog.text, false
          FROM public.org_members AS m
         WHERE m.org_id OPERATOR(pg_catalog.=) v_org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id
         LIMIT 1;
    IF NOT FOUND THEN
        v_role := p_role;
        RETURN QUERY
            INSERT INTO public.org_members AS m (org_id, user_id, role) VALUES (v_org_id, p_user_id, v_role)
            RETURNING m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, m.role::pg_catalog.text, true;
    END IF;
END
$$;
ALTER FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text) IS 'Makes a user a member of the organisation with a slug, if he is not yet';
CREATE FUNCTION sessiondb.ask(p_query text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
/*
 * The one value that a query of the platform's tables returns. Like run_on_platform(): the query is run under the
 * search_path that the connection began with, and to be called where the path is pinned.
 *
 * SECURITY INVOKER, as all that asks through it: callers see what they may read themselves.
 */
DECLARE
    v_answer pg_catalog.jsonb;
BEGIN
    SET LOCAL search_path TO DEFAULT;
    EXECUTE p_query INTO v_answer;
    SET LOCAL search_path TO pg_catalog, pg_temp;
    RETURN v_answer;
END
$$;
ALTER FUNCTION sessiondb.ask(p_query text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.ask(p_query text) IS 'The one value that a query of the platform''s tables returns';
CREATE PROCEDURE sessiondb.backfill(IN p_session_id uuid DEFAULT NULL::uuid)
    LANGUAGE plpgsql
    AS $$
/*
 * Links all old rows, in short transactions of about 200 ms each: CALL sessiondb.backfill() in psql, outside a
 * transaction. If it is stopped, calling it again resumes it. Notices show every five seconds how far it is, and at the
 * end what it linked, and what it cannot link and why.
 *
 * No search_path is pinned, since a procedure that has settings of its own may not commit; instead each transaction
 * sets it, before anything that a caller's path could change the meaning of. What touches the platform's tables, and the
 * commit, see the path that the connection began with. The advisory lock is the one that apply
 * takes, too, for each batch separately, so that it is released however this ends.
 *
 * A statement_timeout of the caller's is for the whole CALL, which cannot lift it; a lock_timeout of the caller's holds
 * where it is shorter than ours.
 */
DECLARE
    v_rows integer;
    v_call pg_catalog.timestamptz := pg_catalog.now();
    v_began pg_catalog.timestamptz;
    v_told pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    v_step pg_catalog.record;
    v_linked bigint := 0;
    v_tries integer := 0;
    v_counts pg_catalog.record;
    v_text pg_catalog.text;
BEGIN
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF NOT pg_try_advisory_xact_lock(8315179226536832612) THEN
            RAISE EXCEPTION 'another sessiondb run works on this database'
                USING ERRCODE = 'lock_not_available', HINT = 'Call it again when that has ended.';
        END IF;
        IF v_rows IS NULL THEN
            CALL sessiondb.require_trusted();
            v_rows := 1000;
            IF current_setting('statement_timeout') <> '0' THEN
                RAISE NOTICE 'statement_timeout ends this call after %; what is linked by then stays linked', current_setting('statement_timeout')
                    USING HINT = 'Call it again to go on, or first: SET statement_timeout TO 0';
            END IF;
            SET LOCAL search_path TO DEFAULT;
            CALL sessiondb.begin_backfill(p_session_id);
            FOR v_text IN SELECT r.remark FROM sessiondb.backfill_remarks(p_session_id) AS r (remark) LOOP
                RAISE NOTICE '%', v_text;
            END LOOP;
            SET LOCAL search_path TO pg_catalog, pg_temp;
        END IF;
        v_began := clock_timestamp();
        -- or else others would wait for the rows of this batch as long as it waits for one that stays locked
        PERFORM set_config('lock_timeout', least(nullif(s.setting::integer, 0), 2000)::text, true) FROM pg_settings AS s WHERE s.name = 'lock_timeout';
        BEGIN
            SET LOCAL search_path TO DEFAULT;
            SELECT s.* INTO v_step FROM sessiondb.backfill_step(v_rows) AS s;
            SET LOCAL search_path TO pg_catalog, pg_temp;
            EXIT WHEN v_step.table_name IS NULL;
            v_tries := 0;
            v_linked := v_linked + v_step.linked;
        EXCEPTION WHEN foreign_key_violation OR check_violation OR lock_not_available OR deadlock_detected
                    OR serialization_failure OR undefined_table THEN
            -- a session, a membership, a row or a partition has just changed, or is about to
            v_tries := v_tries + 1;
            IF v_tries > 5 THEN
                RAISE NOTICE 'stopped; linked by this call: %', v_linked USING HINT = 'What is linked stays linked; call it again to go on.';
                RAISE;
            END IF;
            RAISE NOTICE 'the batch is tried again: %', SQLERRM;
            PERFORM pg_sleep(0.1 * v_tries);
        END;
        IF v_tries = 0 AND clock_timestamp() > v_told + interval '5 seconds' THEN
            v_told := clock_timestamp();
            RAISE NOTICE 'linked by this call: %; pages: % of %', v_linked, v_step.blocks_done, v_step.blocks_total;
        END IF;
        -- no more than 5000: after pages with nothing to link may come some with much
        v_rows := least(greatest(v_rows * least(greatest(0.2 / greatest(EXTRACT(epoch FROM clock_timestamp() - v_began), 0.001), 0.5), 2.0), 100), 5000);
        -- for deferred triggers
        SET LOCAL search_path TO DEFAULT;
        COMMIT;
    END LOOP;
    SET LOCAL search_path TO pg_catalog, pg_temp;
    FOR v_counts IN SELECT c.* FROM sessiondb.backfill_counts() AS c LOOP
        RAISE NOTICE '%: % linked, % cannot be.', v_counts.table_name, v_counts.linked, v_counts.unlinkable;
        FOR v_text IN SELECT format('  %s: %s', e.key, e.value) FROM jsonb_each_text(v_counts.reasons) AS e ORDER BY e.key LOOP
            RAISE NOTICE '%', v_text;
        END LOOP;
        IF v_counts.as_of < v_call THEN
            RAISE NOTICE 'What has become linkable since % may not be linked yet: call it again.', date_trunc('second', v_counts.as_of);
        END IF;
    END LOOP;
    SET LOCAL search_path TO DEFAULT;
    COMMIT;
END
$$;
ALTER PROCEDURE sessiondb.backfill(IN p_session_id uuid) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.backfill(IN p_session_id uuid) IS 'Links all old rows, or those that belong to one session, in short transactions';
CREATE FUNCTION sessiondb.backfill_counts() RETURNS TABLE(table_name name, scanned bigint, linked bigint, unlinkable bigint, reasons jsonb, as_of timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * What the last backfill has done with each table so far, also over several runs: the rows without a session that it
 * has looked at, those that it linked, and those that it cannot link, by reason. What was linkable at the time as_of is
 * linked when it is finished.
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
$$;
ALTER FUNCTION sessiondb.backfill_counts() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.backfill_counts() IS 'What the last backfill has looked at and linked so far, and what it cannot link, by reason';
CREATE FUNCTION sessiondb.backfill_partitions() RETURNS TABLE(table_name name, partition regclass, blocks bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * The tables that a backfill walks, or their partitions, in its order: enrolments first, since submissions follow them;
 * and how many pages each has.
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
$$;
ALTER FUNCTION sessiondb.backfill_partitions() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.backfill_partitions() IS 'The tables or partitions that a backfill walks, in its order';
CREATE FUNCTION sessiondb.backfill_remarks(p_session_id uuid) RETURNS SETOF text
    LANGUAGE sql STABLE
    AS $$
/*
 * What to know before a backfill, of this session or of all (NULL): that nothing is linked to a session that is not
 * active, and which triggers of the platform fire.
 */
SELECT pg_catalog.format('Session %s is %s, and only active ones are chosen: nothing will be linked to it.', s.id, s.status)
  FROM public.sessions AS s
 WHERE s.id OPERATOR(pg_catalog.=) p_session_id
   AND NOT s.status OPERATOR(pg_catalog.=) 'active'
UNION ALL
SELECT t.remark
  FROM sessiondb.triggers_that_fire() AS t (remark)
$$;
ALTER FUNCTION sessiondb.backfill_remarks(p_session_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.backfill_remarks(p_session_id uuid) IS 'What to know before a backfill: which triggers of the platform fire, for instance';
CREATE FUNCTION sessiondb.backfill_step(p_rows integer) RETURNS TABLE(table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
    LANGUAGE plpgsql
    AS $$
/*
 * Links the next batch of old rows, about p_rows of the table, and keeps the progress in the same transaction: whatever
 * stops a backfill, at most one batch is done again. Returns what the batch did and how many pages of all tables are
 * done; no row when the backfill is finished.
 */
DECLARE
    v_batch pg_catalog.record;
    v_done pg_catalog.record;
BEGIN
    SELECT b.* INTO v_batch FROM sessiondb.next_batch(p_rows) AS b;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT l.*
      INTO v_done
      FROM sessiondb.link_batch(v_batch.table_name, v_batch.partition, v_batch.from_row, v_batch.to_row, v_batch.session_id, v_batch.mode) AS l;
    RETURN QUERY
        SELECT k.*
          FROM sessiondb.keep_batch(v_batch.turn, v_batch.to_row, v_done.scanned, v_done.linked, v_done.skipped, v_done.reasons) AS k;
END
$$;
ALTER FUNCTION sessiondb.backfill_step(p_rows integer) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.backfill_step(p_rows integer) IS 'Links the next batch of old rows and keeps the progress; no row when the backfill is finished';
CREATE PROCEDURE sessiondb.begin_backfill(IN p_session_id uuid)
    LANGUAGE plpgsql
    AS $$
/*
 * Makes ready for backfill_step(), or to go on with a backfill that was stopped. A mistyped id must not take the
 * progress of that away.
 */
BEGIN
    IF p_session_id IS NOT NULL AND NOT EXISTS (SELECT FROM public.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) p_session_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    CALL sessiondb.start_backfill(p_session_id);
END
$$;
ALTER PROCEDURE sessiondb.begin_backfill(IN p_session_id uuid) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.begin_backfill(IN p_session_id uuid) IS 'Makes ready for backfill_step(), or to go on with a backfill that was stopped';
CREATE FUNCTION sessiondb.check_session() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
/*
 * BEFORE INSERT or UPDATE on enrollments or submissions, only where the client gave a session: it must be of the row's
 * course, and the row's user a member of its organisation. Otherwise students could place themselves in the dashboard
 * of another organisation. The status does not matter: staff may place someone by hand in a session that has not begun
 * or is over. A session that does not exist yet is refused, and not left to the foreign key, which looks at the end of
 * the statement or transaction, when someone may have created it in any organisation.
 *
 * The argument names the table, for which TG_TABLE_NAME may be a partition. PL/pgSQL plans only the branch that is
 * taken, so each branch may name columns that the other table does not have; course_of() is compiled as in
 * link_submission.
 *
 * One answer for all: those who may not read sessions and org_members must not learn by trying whether a session
 * exists, of which course it is, or to which course an exercise leads. SECURITY DEFINER: they need not be able to.
 */
DECLARE
    v_course_id pg_catalog.uuid;
BEGIN
    IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'submissions' THEN
        v_course_id := (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) NEW.exercise_id)::pg_catalog.uuid;
    ELSE
        v_course_id := NEW.course_id;
    END IF;
    IF NOT EXISTS (
        SELECT FROM (SELECT org_id AS of_org
                       FROM public.sessions
                      WHERE id OPERATOR(pg_catalog.=) NEW.session_id
                        AND course_id OPERATOR(pg_catalog.=) v_course_id) AS given
         WHERE EXISTS (SELECT
                         FROM public.org_members
                        WHERE org_id OPERATOR(pg_catalog.=) given.of_org
                          AND user_id OPERATOR(pg_catalog.=) NEW.user_id))
        -- an apply restores what a rollback saved, though a membership may have ended since
        AND NOT sessiondb.is_saved_link(TG_ARGV[0], pg_catalog.to_jsonb(NEW))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = pg_catalog.format('session %s does not fit this row of table "%s"', NEW.session_id, TG_ARGV[0]),
            DETAIL = 'There is no such session of the row''s course in an organisation that the row''s user is a member of.',
            HINT = 'Leave session_id out to have the right session found, or give a session of the same course '
                   'in an organisation of the user.',
            SCHEMA = (SELECT i.platform_schema FROM sessiondb.installation AS i),
            TABLE = TG_ARGV[0],
            COLUMN = 'session_id',
            CONSTRAINT = TG_ARGV[0] OPERATOR(pg_catalog.||) '_session_id_coherent';
    END IF;
    RETURN NEW;
END
$$;
ALTER FUNCTION sessiondb.check_session() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.check_session() IS 'Trigger function: refuses a session that is not of the row''s course or of the user''s organisations';
CREATE FUNCTION sessiondb.choose_for_pages(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, OUT scanned bigint, OUT row_ids tid[], OUT session_ids uuid[], OUT reasons jsonb) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
/*
 * Of the rows without a session in a range of pages of a table, or of one partition of it: how many there are, those
 * that the trigger would choose a session for now, with that session, and how many there are of the others, by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 *
 * The rows are kept in arrays, whose length the planner knows: of a column that was added just now it knows nothing,
 * takes the rows without a session for a few, and would compare each with each. The SQL is put together for the name of
 * the partition alone.
 */
DECLARE
    v_user_ids pg_catalog.uuid[];
    v_course_ids pg_catalog.uuid[];
BEGIN
    EXECUTE pg_catalog.format(
        $read$
        SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(r.user_id), pg_catalog.array_agg(%s)
          FROM ONLY %s AS r
         WHERE r.ctid OPERATOR(pg_catalog.>=) $1 AND r.ctid OPERATOR(pg_catalog.<) $2
           AND r.session_id IS NULL
        $read$,
        CASE WHEN p_table OPERATOR(pg_catalog.=) 'submissions' THEN sessiondb.course_expression('r') ELSE 'r.course_id' END, p_partition)
       INTO row_ids, v_user_ids, v_course_ids
      USING p_from, p_to;

    WITH candidate AS (
        SELECT c.row_id, c.user_id, c.course_id
          FROM ROWS FROM (pg_catalog.unnest(row_ids), pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids))
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
         CROSS JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, p_table OPERATOR(pg_catalog.=) 'submissions') AS s
    ),
    outcome AS (
        SELECT c.row_id, h.session_id,
               CASE
                   WHEN c.course_id IS NULL THEN 'course_unknown'
                   WHEN c.user_id IS NULL THEN 'no_membership'
                   ELSE h.reason
               END AS reason
          FROM candidate AS c
          LEFT JOIN choice AS h ON h.user_id OPERATOR(pg_catalog.=) c.user_id AND h.course_id OPERATOR(pg_catalog.=) c.course_id
         WHERE p_session_id IS NULL OR h.session_id OPERATOR(pg_catalog.=) p_session_id
    )
    SELECT pg_catalog.count(*),
           pg_catalog.array_agg(o.row_id) FILTER (WHERE o.session_id IS NOT NULL),
           pg_catalog.array_agg(o.session_id) FILTER (WHERE o.session_id IS NOT NULL),
           (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), '{}')
              FROM (SELECT o.reason, pg_catalog.count(*) AS rows
                      FROM outcome AS o WHERE o.session_id IS NULL GROUP BY o.reason) AS u)
      INTO scanned, row_ids, session_ids, reasons
      FROM outcome AS o;
END
$_$;
ALTER FUNCTION sessiondb.choose_for_pages(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, OUT scanned bigint, OUT row_ids tid[], OUT session_ids uuid[], OUT reasons jsonb) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.choose_for_pages(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, OUT scanned bigint, OUT row_ids tid[], OUT session_ids uuid[], OUT reasons jsonb) IS 'What the trigger would choose now for the rows without a session in a range of pages of a table';
CREATE FUNCTION sessiondb.choose_sessions(p_user_ids uuid[], p_course_ids uuid[], p_by_enrollment boolean) RETURNS TABLE(user_id uuid, course_id uuid, session_id uuid, reason text)
    LANGUAGE sql STABLE
    AS $$
/*
 * For each pair of a user and a course the session that the triggers would choose now, and where there is none, why:
 * for the backfill, for explain, show and check. SECURITY INVOKER, and meant to be called: whoever asks is told what he
 * may read himself.
 *
 * p_by_enrollment: for submissions, whose first choice is the session of the student's enrolment; LIMIT 1 keeps the
 * joins in order as in link_submission.
 *
 * reason is the first that is true of: course_unknown; no_membership, the user is in no organisation;
 * no_session_for_course, no organisation has one; no_active_session, an organisation of the user has sessions of the
 * course, none of them active; session_in_other_org, only others have one.
 */
WITH choice AS MATERIALIZED (
    SELECT p.user_id, p.course_id,
           coalesce(
               (SELECT eligible.id
                  FROM public.enrollments AS e
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM public.sessions AS s
                         WHERE s.id OPERATOR(pg_catalog.=) e.session_id
                           AND s.course_id OPERATOR(pg_catalog.=) e.course_id
                           AND s.status OPERATOR(pg_catalog.=) 'active'
                           AND EXISTS (SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id)
                         LIMIT 1
                       ) AS eligible
                 WHERE p_by_enrollment
                   AND e.user_id OPERATOR(pg_catalog.=) p.user_id
                   AND e.course_id OPERATOR(pg_catalog.=) p.course_id
                 ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
                 LIMIT 1),
               (SELECT newest.id
                  FROM public.org_members AS m
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM public.sessions AS s
                         WHERE s.org_id OPERATOR(pg_catalog.=) m.org_id
                           AND s.course_id OPERATOR(pg_catalog.=) p.course_id
                           AND s.status OPERATOR(pg_catalog.=) 'active'
                         ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                         LIMIT 1
                       ) AS newest
                 WHERE m.user_id OPERATOR(pg_catalog.=) p.user_id
                 ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
                 LIMIT 1)
           ) AS session_id
      FROM ROWS FROM (pg_catalog.unnest(p_user_ids), pg_catalog.unnest(p_course_ids)) AS p (user_id, course_id)
)
SELECT c.user_id, c.course_id, c.session_id,
       CASE
           WHEN c.session_id IS NOT NULL THEN NULL
           WHEN c.course_id IS NULL
             OR NOT EXISTS (SELECT FROM public.courses AS k WHERE k.id OPERATOR(pg_catalog.=) c.course_id) THEN 'course_unknown'
           WHEN NOT EXISTS (SELECT FROM public.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id) THEN 'no_membership'
           WHEN NOT c.course_id OPERATOR(pg_catalog.=) ANY (SELECT s.course_id FROM public.sessions AS s WHERE s.course_id IS NOT NULL)
           THEN 'no_session_for_course'
           WHEN EXISTS (
                SELECT FROM public.org_members AS m
                  JOIN public.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id
                 WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND s.course_id OPERATOR(pg_catalog.=) c.course_id) THEN 'no_active_session'
           ELSE 'session_in_other_org'
       END
  FROM choice AS c
$$;
ALTER FUNCTION sessiondb.choose_sessions(p_user_ids uuid[], p_course_ids uuid[], p_by_enrollment boolean) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.choose_sessions(p_user_ids uuid[], p_course_ids uuid[], p_by_enrollment boolean) IS 'The session that the triggers would choose for each user and course, or the reason why there is none';
CREATE FUNCTION sessiondb.compile(p_source text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * The source of a function or trigger of ours as it is created on this platform: the qualifier "platform" becomes the
 * platform's schema, course_of(...) the expression that leads from that row of submissions to its course, and SET
 * search_path FROM the CURRENT one the path that the connection of apply began with, pg_temp last. So the sources read
 * the same for every platform, and yet hold static SQL: nothing is looked up per row. (This text is compiled, too, so
 * that it does not spell out what it replaces.)
 *
 * The tags of dollar quoting are made longer where a name of the platform holds one of them.
 */
DECLARE
    v_at record;
    v_row text;
    v_names text;
    v_tag text;
BEGIN
    SELECT i.*, CASE i.platform_schema WHEN 'public' THEN 'public' ELSE format('"%s"', replace(i.platform_schema, '"', '""')) END AS schema_name
      INTO v_at FROM sessiondb.installation AS i;
    p_source := btrim(p_source, E'\n');
    v_names := concat(v_at.schema_name, v_at.search_path, array_to_string(v_at.course_pieces, ' '));
    FOREACH v_tag IN ARRAY ARRAY['function', 'procedure'] LOOP
        IF strpos(v_names, format('$%s$', v_tag)) > 0 THEN
            p_source := replace(p_source, format('$%s$', v_tag), format('$%s_%s$', v_tag, md5(v_names)));
        END IF;
    END LOOP;
    p_source := array_to_string(regexp_split_to_array(p_source, '\mplatform\.(?=[[:alpha:]_"])'), v_at.schema_name || '.');
    FOR v_row IN SELECT DISTINCT m.groups[1] FROM regexp_matches(p_source, 'course_of\((\w+)\)', 'g') AS m (groups) LOOP
        IF v_at.course_pieces IS NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = 'the way from a submission to its course is not chosen yet',
                HINT = 'Run sessiondb apply.';
        END IF;
        p_source := replace(p_source, format('course_of(%s)', v_row), array_to_string(v_at.course_pieces, v_row));
    END LOOP;
    RETURN replace(p_source, 'SET search_path FROM ' || 'CURRENT', format('SET search_path = %s', v_at.search_path));
END
$_$;
ALTER FUNCTION sessiondb.compile(p_source text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.compile(p_source text) IS 'The source of a function or trigger as it is created on this platform';
CREATE FUNCTION sessiondb.count_linkable(p_course_id uuid) RETURNS TABLE(enrollments bigint, submissions bigint)
    LANGUAGE sql STABLE
    AS $$
/*
 * How many unlinked rows of the course a backfill would link now: those whose user is a member of an organisation with
 * an active session of the course.
 */
WITH entitled AS MATERIALIZED (
    SELECT DISTINCT m.user_id
      FROM public.sessions AS s
      JOIN public.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id
     WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id
       AND s.status OPERATOR(pg_catalog.=) 'active'
)
SELECT (SELECT pg_catalog.count(*)
          FROM public.enrollments AS e
         WHERE e.session_id IS NULL
           AND e.course_id OPERATOR(pg_catalog.=) p_course_id
           AND e.user_id OPERATOR(pg_catalog.=) ANY (SELECT t.user_id FROM entitled AS t)),
       (SELECT pg_catalog.count(*)
          FROM public.submissions AS b
         WHERE b.session_id IS NULL
           AND b.user_id OPERATOR(pg_catalog.=) ANY (SELECT t.user_id FROM entitled AS t)
           AND (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) b.exercise_id)::pg_catalog.uuid OPERATOR(pg_catalog.=) p_course_id)
$$;
ALTER FUNCTION sessiondb.count_linkable(p_course_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.count_linkable(p_course_id uuid) IS 'How many unlinked enrolments and submissions of a course a backfill would link now';
CREATE FUNCTION sessiondb.course_expression(p_row text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * The SQL expression of the course of a row of submissions, for SQL that is put together; p_row is what the row is
 * called there. In a source, course_of() of a row is the same, put in by compile().
 */
SELECT array_to_string(i.course_pieces, p_row)
  FROM sessiondb.installation AS i
$$;
ALTER FUNCTION sessiondb.course_expression(p_row text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.course_expression(p_row text) IS 'The SQL expression of the course of a row of submissions';
CREATE FUNCTION sessiondb.create_org(p_name text, p_slug text) RETURNS TABLE(id uuid, name text, slug text, created boolean)
    LANGUAGE plpgsql
    AS $$
/*
 * The organisation with this slug, made if there is none yet; one that exists is left as it is. OPERATOR(pg_catalog.=):
 * as in org_of_slug.
 */
#variable_conflict use_column
BEGIN
    IF p_name IS NULL OR p_name OPERATOR(pg_catalog.!~) '\S' OR p_slug IS NULL OR p_slug OPERATOR(pg_catalog.!~) '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'an organisation needs a name and a slug that are not empty',
            HINT = 'Give both: sessiondb org create --name NAME --slug SLUG';
    END IF;

    -- not o.slug: where there is no such column, that would call a function slug(orgs) that somebody made
    RETURN QUERY
        SELECT o.id::pg_catalog.uuid, pg_catalog.to_jsonb(o.*) OPERATOR(pg_catalog.->>) 'name'::pg_catalog.text, p_slug, false FROM public.orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug;
    IF NOT FOUND THEN
        RETURN QUERY
            INSERT INTO public.orgs AS o (name, slug) VALUES (p_name, p_slug)
            RETURNING o.id::pg_catalog.uuid, name::pg_catalog.text, slug::pg_catalog.text, true;
    END IF;
END
$$;
ALTER FUNCTION sessiondb.create_org(p_name text, p_slug text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.create_org(p_name text, p_slug text) IS 'The organisation with a slug, made if there is none yet';
CREATE FUNCTION sessiondb.create_session(p_org_slug text, p_course_id uuid, p_created_by uuid, p_title text DEFAULT NULL::text, p_status text DEFAULT 'active'::text) RETURNS TABLE(id uuid, org_id uuid, course_id uuid, title text, status text, linkable_enrollments bigint, linkable_submissions bigint)
    LANGUAGE plpgsql
    AS $$
/*
 * A new session of the course for the organisation, titled after the course where no title is given, and how many
 * unlinked rows of the course a backfill would link now.
 */
#variable_conflict use_column
DECLARE
    v_org_id pg_catalog.uuid := sessiondb.org_of_slug(p_org_slug);
    v_status public.sessions.status%TYPE;
    v_course_title pg_catalog.text;
BEGIN
    -- not c.title: where there is no such column, that would call a function title(courses) that somebody made
    SELECT coalesce(pg_catalog.to_jsonb(c.*) OPERATOR(pg_catalog.->>) 'title'::pg_catalog.text, c.id::pg_catalog.text) INTO v_course_title FROM public.courses AS c WHERE c.id OPERATOR(pg_catalog.=) p_course_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no course with the id %s', p_course_id),
            HINT = 'List them with: SELECT id, title FROM courses';
    END IF;
    IF p_title OPERATOR(pg_catalog.!~) '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the title of a session cannot be empty',
            HINT = 'Leave it out to have the session named after its course.';
    END IF;

    v_status := sessiondb.session_status(
        p_status, EXISTS (SELECT FROM public.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) p_status));
    INSERT INTO public.sessions AS s (org_id, course_id, title, status, created_by)
    VALUES (v_org_id, p_course_id, coalesce(p_title, 'Session - ' OPERATOR(pg_catalog.||) v_course_title), v_status, p_created_by)
    RETURNING s.id, s.org_id, s.course_id, title::pg_catalog.text, s.status::pg_catalog.text
         INTO id, org_id, course_id, title, status;
    SELECT l.enrollments, l.submissions
      INTO linkable_enrollments, linkable_submissions
      FROM sessiondb.count_linkable(p_course_id) AS l;
    RETURN NEXT;
END
$$;
ALTER FUNCTION sessiondb.create_session(p_org_slug text, p_course_id uuid, p_created_by uuid, p_title text, p_status text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.create_session(p_org_slug text, p_course_id uuid, p_created_by uuid, p_title text, p_status text) IS 'Makes a session of a course for an organisation and counts the rows that a backfill would link now';
CREATE FUNCTION sessiondb.explain_choice(p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb, OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT fix text) RETURNS record
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * The last step of explain_link(), with the arguments of that: the session, the reason, and what to do. The rules are
 * those of the triggers; choose_sessions() has decided. p_facts is of explain_facts(), p_fixes holds the fixes of the
 * steps before, by step.
 */
WITH choice AS (
    SELECT CASE WHEN p_session_id IS NOT NULL THEN 'already_linked' ELSE coalesce(c.reason, 'linked') END AS reason,
           c.session_id, (p_facts ->> 'without_enrollment')::uuid AS without_enrollment,
           CASE WHEN c.session_id = p_session_id THEN 'the same one'
                ELSE coalesce(sessiondb.name_of('session', c.session_id), 'none (' || c.reason || ')') END AS today,
           i.platform_schema
      FROM jsonb_to_record(p_facts -> 'choice') AS c (session_id uuid, reason text)
     CROSS JOIN sessiondb.installation AS i
),
-- a link may have been right once
link AS (
    SELECT CASE WHEN l.course_id <> p_course_id THEN format('the session is of course %s, the row of course %s', l.course_id, p_course_id)
                WHEN NOT l.is_member THEN format('the session is of %s, of which the user is no member', sessiondb.name_of('org', l.org_id)) END AS fault
      FROM jsonb_to_record(p_facts -> 'link') AS l (course_id uuid, org_id uuid, is_member boolean)
),
best AS (
    SELECT b.id, b.org_id,
           CASE WHEN b.is_active THEN format(' %s has an active one: %s.', sessiondb.name_of('org', b.org_id), sessiondb.name_of('session', b.id)) END AS offer
      FROM jsonb_to_record(p_facts -> 'best') AS b (id uuid, org_id uuid, is_active boolean)
),
membership AS (
    SELECT coalesce(
               p_fixes ->> 'user',
               sessiondb.org_command('member', coalesce((SELECT b.org_id FROM best AS b), (p_facts ->> 'any_org')::uuid), p_user_id),
               CASE WHEN p_user_id IS NULL THEN 'Give the row a user.' ELSE 'sessiondb org create --name ''My organisation'' --slug my-organisation' END) AS fix
)
SELECT coalesce(p_session_id, c.session_id), c.reason, coalesce(p_session_id, c.session_id) IS NOT NULL AND l.fault IS NULL, a.detail, a.fix
  FROM choice AS c
 CROSS JOIN membership AS m
 CROSS JOIN link AS l
 CROSS JOIN best AS b
 CROSS JOIN LATERAL (VALUES
        ('already_linked',
         coalesce('The link is wrong: ' || l.fault || '.', 'A row that is linked stays in its session.') || ' Today the rules would choose ' || c.today || '.',
         CASE WHEN l.fault IS NOT NULL AND p_row_id IS NOT NULL
              THEN format('UPDATE %I.%I SET session_id = %L WHERE id = %L', c.platform_schema, p_table, c.session_id, p_row_id) END),
        ('course_unknown',
         'Without a course there is no session to choose.',
         coalesce(p_fixes ->> 'course', format('Check the id of the course: SELECT * FROM %I.courses', c.platform_schema))),
        ('linked',
         format('%s is chosen: %s.', sessiondb.name_of('session', c.session_id),
             CASE WHEN c.session_id = c.without_enrollment THEN 'the newest active session of the course in the user''s organisations'
                  ELSE 'the session of the student''s enrolment, which is still active' END),
         -- the enrolment may get another session than the submissions
         CASE WHEN p_fixes ? 'enrollments' AND c.session_id <> c.without_enrollment THEN 'sessiondb backfill'
              WHEN p_fixes ?| ARRAY['row', 'enrollments', 'submissions'] THEN 'sessiondb backfill --session ' || c.session_id END),
        ('no_membership',
         'Only sessions of the user''s organisations are chosen, and the user is in none.' || coalesce(b.offer, ''),
         m.fix),
        ('no_session_for_course',
         'There is no session to choose.',
         sessiondb.org_command('session', (p_facts #>> '{memberships,0,org_id}')::uuid, p_course_id)),
        ('no_active_session',
         'Only active sessions are chosen, and no organisation of the user has one.',
         'sessiondb session set-status ' || b.id || ' active'),
        ('session_in_other_org',
         'Only sessions of the user''s organisations are chosen, and only others have one.' || coalesce(b.offer, ''),
         m.fix)
       ) AS a (reason, detail, fix)
 WHERE a.reason = c.reason
$$;
ALTER FUNCTION sessiondb.explain_choice(p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb, OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT fix text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_choice(p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb, OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT fix text) IS 'The session that is chosen for explain_link(), the reason, and what would change it';
CREATE FUNCTION sessiondb.explain_course(p_table text, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Where the way from a row of enrollments or submissions to its course breaks off, at a column that is NULL or at a row
 * that does not exist, and the UPDATE that fixes it. Which course was meant only people know: the statement takes one
 * that the user is enrolled in, if there are several one that has a session for the user.
 *
 * sessiondb.installation keeps the steps of the way; here those that lead to a row are taken off.
 */
DECLARE
    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_steps jsonb := CASE p_table
        WHEN 'submissions' THEN (SELECT i.course_joins FROM sessiondb.installation AS i)
        ELSE jsonb_build_array(jsonb_build_object(
            'from', format('%I.enrollments', v_schema), 'columns', ARRAY['course_id'],
            'to', format('%I.courses', v_schema), 'keys', ARRAY['id'], 'operators', ARRAY['OPERATOR(pg_catalog.=)']))
    END;
    v_step record;
    v_row jsonb;
    v_next jsonb;
    v_where text := format('id = %L', p_row_id);
    v_column text;
BEGIN
    IF p_row_id IS NULL THEN
        RETURN;
    END IF;
    v_row := sessiondb.ask(format('SELECT pg_catalog.to_jsonb(r.*) FROM %s AS r WHERE id OPERATOR(pg_catalog.=) %L', v_steps -> 0 ->> 'from', p_row_id));
    FOR v_step IN SELECT s.* FROM jsonb_to_recordset(v_steps) AS s ("from" text, columns text[], "to" text, keys text[], operators text[]) LOOP
        v_next := sessiondb.ask((
            SELECT format('SELECT pg_catalog.to_jsonb(r.*) FROM %s AS r WHERE %s', v_step."to",
                          string_agg(format('r.%I %s %L', c.key, c.operator, v_row ->> c.name), ' AND '))
              FROM unnest(v_step.columns, v_step.keys, v_step.operators) AS c (name, key, operator)));
        EXIT WHEN v_next IS NULL;
        v_row := v_next;
        v_where := (SELECT string_agg(format('%I = %L', k.name, v_row ->> k.name), ' AND ') FROM unnest(v_step.keys) AS k (name));
        v_steps := v_steps - 0;
    END LOOP;
    IF v_row IS NULL OR v_next IS NOT NULL THEN
        RETURN;
    END IF;
    v_column := (SELECT c.name FROM unnest(v_step.columns) WITH ORDINALITY AS c (name, place) ORDER BY (v_row ->> c.name) IS NULL DESC, c.place LIMIT 1);
    detail := format('The row leads to no course: %I of table %s is %s in the row with %s.', v_column, v_step."from",
        coalesce((v_row ->> v_column) || ', of which there is no row in table ' || v_step."to" || ',', 'NULL'), v_where);

    v_next := sessiondb.ask(sessiondb.query_of_course(v_steps, p_user_id));
    IF v_next IS NULL THEN
        fix := format('Table %s has no row that it could lead to: make one first.', v_step."to");
        RETURN;
    END IF;
    detail := format('%s The fix takes course %s%s; which was meant only you know.', detail, sessiondb.name_of('course', (v_next ->> 'course_id')::uuid),
        CASE WHEN (v_next -> 'is_enrolled')::boolean THEN ', in which the user is enrolled' END);
    fix := format('UPDATE %s SET %s WHERE %s', v_step."from",
        (SELECT string_agg(format('%I = %L', c.name, v_next -> 'row' ->> c.key), ', ') FROM unnest(v_step.columns, v_step.keys) AS c (name, key)),
        v_where);
END
$$;
ALTER FUNCTION sessiondb.explain_course(p_table text, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_course(p_table text, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text) IS 'Where the way from a row to its course breaks off, and the statement that fixes it';
CREATE FUNCTION sessiondb.explain_facts(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_by_enrollment boolean) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
/*
 * What explain_link() tells of, as the platform's tables have it:
 *
 * choice, without_enrollment  what choose_sessions() says, and the session that it would choose for an enrolment
 * is_seen                     the user has a membership, an enrolment or a submission
 * is_course                   there is such a course
 * memberships                 of the user: org_id, role
 * rows                        of the user in the course, by table and session
 * sessions                    of the course: the organisations that have some, the user's first, at most 20, with
 *                             the titles of the five newest
 * link                        of the session that the row is linked to: course_id, org_id, is_member
 * best                        the session that a fix is about: of the user's organisations if they have one, an active
 *                             one if there is
 * any_org                     an organisation
 */
SELECT pg_catalog.jsonb_build_object(
    'choice', (SELECT pg_catalog.to_jsonb(c.*) FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], p_by_enrollment) AS c),
    'without_enrollment', (SELECT c.session_id FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], false) AS c),
    'is_seen', EXISTS (SELECT FROM public.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id)
            OR EXISTS (SELECT FROM public.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id)
            OR EXISTS (SELECT FROM public.submissions AS b WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id),
    'is_course', EXISTS (SELECT FROM public.courses AS k WHERE k.id OPERATOR(pg_catalog.=) p_course_id),
    'memberships', coalesce((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('org_id', m.org_id, 'role', pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) 'role'::pg_catalog.text) ORDER BY m.org_id)
          FROM public.org_members AS m
         WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id), '[]'),
    'rows', coalesce((
        SELECT pg_catalog.jsonb_agg(r.*)
          FROM (SELECT 'enrollments' AS table_name, e.session_id, pg_catalog.count(*) AS rows
                  FROM public.enrollments AS e
                 WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id AND e.course_id OPERATOR(pg_catalog.=) p_course_id
                 GROUP BY e.session_id
                UNION ALL
                SELECT 'submissions', b.session_id, pg_catalog.count(*)
                  FROM public.submissions AS b
                 WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id AND (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) b.exercise_id)::pg_catalog.uuid OPERATOR(pg_catalog.=) p_course_id
                 GROUP BY b.session_id) AS r), '[]'),
    'sessions', coalesce((
        SELECT pg_catalog.jsonb_agg(o.*)
          FROM (SELECT s.org_id,
                       EXISTS (SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id) AS mine,
                       pg_catalog.count(*) AS sessions,
                       pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) 'active') AS active,
                       (pg_catalog.array_agg(
                           pg_catalog.format('"%s" %s', coalesce(pg_catalog.to_jsonb(s.*) OPERATOR(pg_catalog.->>) 'title'::pg_catalog.text, s.id::pg_catalog.text), s.status)
                           ORDER BY s.created_at DESC NULLS LAST, s.id DESC))[1:5] AS titles,
                       (SELECT pg_catalog.to_jsonb(g.*) OPERATOR(pg_catalog.->>) 'name'::pg_catalog.text FROM public.orgs AS g WHERE g.id OPERATOR(pg_catalog.=) s.org_id) AS name
                  FROM public.sessions AS s
                 WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id
                 GROUP BY s.org_id
                 ORDER BY mine DESC, name, s.org_id
                 LIMIT 20) AS o), '[]'),
    'link', coalesce((
        SELECT pg_catalog.jsonb_build_object('course_id', s.course_id, 'org_id', s.org_id, 'is_member', EXISTS (
                   SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id))
          FROM public.sessions AS s
         WHERE s.id OPERATOR(pg_catalog.=) p_session_id), '{}'),
    'best', coalesce((
        SELECT pg_catalog.jsonb_build_object('id', s.id, 'org_id', s.org_id, 'is_active', s.status OPERATOR(pg_catalog.=) 'active')
          FROM public.sessions AS s
         WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id
         ORDER BY EXISTS (SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id) DESC,
                  (s.status OPERATOR(pg_catalog.=) 'active') DESC NULLS LAST, s.created_at DESC NULLS LAST, s.id DESC
         LIMIT 1), '{}'),
    'any_org', (SELECT o.id FROM public.orgs AS o ORDER BY o.id LIMIT 1))
$$;
ALTER FUNCTION sessiondb.explain_facts(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_by_enrollment boolean) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_facts(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_by_enrollment boolean) IS 'What explain_link() tells of, as the platform''s tables have it';
CREATE FUNCTION sessiondb.explain_link(p_user_id uuid, p_course_id uuid, p_session_id uuid DEFAULT NULL::uuid, p_table text DEFAULT NULL::text, p_row_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Why the work of a user in a course is in the session that it is in, or in none: {"session_id", "reason", "steps":
 * [{"step", "ok", "detail"}], "fix"}.
 *
 * p_session_id  the session that the row which is asked about is linked to
 * p_table       enrollments or submissions, where a row is asked about; NULL for a user and a course
 * p_row_id      the id of that row
 */
WITH asked AS MATERIALIZED (
    SELECT sessiondb.ask(format('SELECT sessiondb.explain_facts(%L, %L, %L, %L)',
                                p_user_id, p_course_id, p_session_id, p_table IS DISTINCT FROM 'enrollments')) AS facts
),
steps AS MATERIALIZED (
    SELECT s.*
      FROM asked AS a
     CROSS JOIN LATERAL sessiondb.explain_steps(a.facts, p_user_id, p_course_id, p_session_id, p_table, p_row_id)
           WITH ORDINALITY AS s (step, ok, detail, fix, place)
)
SELECT jsonb_build_object(
           'session_id', c.session_id,
           'reason', c.reason,
           'steps', (SELECT jsonb_agg(jsonb_build_object('step', s.step, 'ok', s.ok, 'detail', s.detail) ORDER BY s.place) FROM steps AS s)
                    || jsonb_build_object('step', 'choice', 'ok', c.ok, 'detail', c.detail),
           'fix', c.fix)
  FROM asked AS a
 CROSS JOIN LATERAL sessiondb.explain_choice(
           a.facts, p_user_id, p_course_id, p_session_id, p_table, p_row_id,
           (SELECT jsonb_object_agg(s.step, s.fix) FROM steps AS s WHERE s.fix IS NOT NULL)) AS c
$$;
ALTER FUNCTION sessiondb.explain_link(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_link(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid) IS 'Why the work of a user in a course is in the session that it is in, or in none, and what would change that';
CREATE FUNCTION sessiondb.explain_row(p_table text, p_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * explain_link() for the row of enrollments or submissions (p_table) with this id; NULL when there is none. No alias
 * before id: where there is no such column, r.id would call a function id(enrollments) that someone created.
 */
SELECT sessiondb.explain_link((f.row ->> 'user_id')::uuid, (f.row ->> 'course_id')::uuid, (f.row ->> 'session_id')::uuid, p_table, p_id)
  FROM (SELECT sessiondb.ask(format(
                   $row$
                   SELECT pg_catalog.jsonb_build_object('user_id', r.user_id, 'course_id', %s, 'session_id', r.session_id)
                     FROM %I.%I AS r
                    WHERE id OPERATOR(pg_catalog.=) %L
                   $row$,
                   CASE p_table WHEN 'submissions' THEN sessiondb.course_expression('r') ELSE 'r.course_id' END,
                   i.platform_schema, p_table, p_id)) AS row
          FROM sessiondb.installation AS i) AS f
 WHERE f.row IS NOT NULL
$_$;
ALTER FUNCTION sessiondb.explain_row(p_table text, p_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_row(p_table text, p_id uuid) IS 'Why an enrolment or a submission is in the session that it is in, or in none';
CREATE FUNCTION sessiondb.explain_steps(p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid) RETURNS TABLE(step text, ok boolean, detail text, fix text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * What explain_link() shows before the choice: the row, or the rows of the user in the course; a user of whom there are
 * none; the course; the user's organisations; and those that have sessions of the course. p_facts is of
 * explain_facts(); fix what would repair that step alone, if something would.
 */
SELECT 'row', p_session_id IS NOT NULL,
       coalesce('The row is linked to session ' || sessiondb.name_of('session', p_session_id) || '.', 'The row has no session.'),
       CASE WHEN p_session_id IS NULL THEN 'sessiondb backfill' END
 WHERE p_table IS NOT NULL
UNION ALL
SELECT * FROM (
    SELECT t.name, coalesce(bool_or(r.session_id IS NOT NULL), false),
           coalesce(format('The user has %s %s%s in the course: ', sum(r.rows), t.noun, CASE WHEN sum(r.rows) > 1 THEN 's' END)
                    || string_agg(r.rows || coalesce(' linked to ' || sessiondb.name_of('session', r.session_id), ' not linked'), ', '
                                  ORDER BY r.session_id IS NULL, r.rows DESC, r.session_id) || '.',
                    'The user has no ' || t.noun || ' in the course.'),
           CASE WHEN bool_or(r.rows > 0 AND r.session_id IS NULL) THEN 'sessiondb backfill' END
      FROM (VALUES ('enrollments', 'enrolment'), ('submissions', 'submission')) AS t (name, noun)
      LEFT JOIN jsonb_to_recordset(p_facts -> 'rows') AS r (table_name text, session_id uuid, rows bigint) ON r.table_name = t.name
     WHERE p_table IS NULL
     GROUP BY t.name, t.noun
     ORDER BY t.name) AS of_user
UNION ALL
SELECT 'user', NOT u.is_missing, u.detail, CASE WHEN u.is_missing THEN 'Check the id of the user.' END
  FROM sessiondb.explain_user(p_user_id) AS u
 WHERE p_user_id IS NOT NULL AND NOT (p_facts -> 'is_seen')::boolean
UNION ALL
SELECT 'course', (p_facts -> 'is_course')::boolean,
       coalesce(CASE WHEN (p_facts -> 'is_course')::boolean THEN 'Course ' || sessiondb.name_of('course', p_course_id) || '.' END, c.detail,
                CASE WHEN p_course_id IS NULL THEN 'The row leads to no course.' ELSE format('There is no course %s.', p_course_id) END),
       c.fix
  FROM sessiondb.explain_course(
           p_table, CASE WHEN p_session_id IS NULL AND p_facts #>> '{choice,reason}' = 'course_unknown' THEN p_row_id END, p_user_id) AS c
UNION ALL
SELECT 'memberships', count(*) > 0,
       coalesce('Member of ' || string_agg(format('%s (%s)', sessiondb.name_of('org', m.org_id), coalesce(m.role, '-')), ', ' ORDER BY m.org_id) || '.',
                format('User %s is a member of no organisation.', coalesce(p_user_id::text, '(none)'))),
       NULL
  FROM jsonb_to_recordset(p_facts -> 'memberships') AS m (org_id uuid, role text)
UNION ALL
SELECT 'sessions', o.active > 0,
       format('%s%s has %s of the course: %s%s.', sessiondb.name_of('org', o.org_id), CASE WHEN NOT o.mine THEN ', which is not an organisation of the user,' END,
              CASE o.sessions WHEN 1 THEN '1 session' ELSE o.sessions || ' sessions' END,
              array_to_string(o.titles, ', '), CASE WHEN o.sessions > 5 THEN ', ...' END),
       NULL
  FROM ROWS FROM (jsonb_to_recordset(p_facts -> 'sessions') AS (org_id uuid, mine boolean, sessions bigint, active bigint, titles text[]))
       AS o (org_id, mine, sessions, active, titles)
UNION ALL
SELECT 'sessions', false, 'No organisation has a session of the course.', NULL
 WHERE p_session_id IS NULL AND p_facts #>> '{choice,reason}' = 'no_session_for_course'
$$;
ALTER FUNCTION sessiondb.explain_steps(p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_steps(p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid) IS 'What explain_link() shows before the choice';
CREATE FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text) RETURNS record
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Says of a user who is nowhere to be seen whether there is such a user at all: the id may be mistyped.
 */
SELECT coalesce(NOT f.found, false),
       CASE
           WHEN f.found THEN format('User %s has no membership, no enrolment and no submission.', p_user_id)
           WHEN NOT f.found THEN format('There is no user %s in table %s.', p_user_id, t.users)
           ELSE format('User %s has no membership, no enrolment and no submission; the id may be wrong.', p_user_id)
       END
  FROM sessiondb.table_of_users() AS t
 CROSS JOIN LATERAL (
        SELECT CASE WHEN t.users IS NOT NULL THEN sessiondb.ask(format(
                   'SELECT pg_catalog.to_jsonb(EXISTS (SELECT FROM %s AS u WHERE u.%I OPERATOR(pg_catalog.=) %L))', t.users, t.key, p_user_id))::boolean END AS found
       ) AS f
$$;
ALTER FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text) IS 'Whether there is a user of whom there are no rows';
CREATE FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
/*
 * The session of a user in a course, for the triggers: of the active sessions of the course in the organisations that
 * the user is a member of, the one with the newest created_at (unknown dates last), and of several such the one with
 * the greatest id. NULL when there is none.
 *
 * FOR KEY SHARE is the lock that the foreign key takes after the row is stored. Taken here, it makes us wait for who is
 * just deleting the session, and then go on to the next one: the row would be refused otherwise. Somebody else's other
 * changes to the session wait for nothing, nor do we for them.
 *
 * One probe of the index per organisation, so that the number of sessions does not matter. SELECT INTO, because RETURN
 * (SELECT ...) would run the query as a part of another (docs/performance.md). OPERATOR(pg_catalog.=): status may be an
 * enum, and then a more exact "=" that someone made in the platform's schema would be taken before the catalog's.
 *
 * Columns stand without the name of their table: were one renamed, s.status would be a call of a function status(s),
 * whoever made it. So each of them is read in a query of one table.
 */
DECLARE
    v_session_id pg_catalog.uuid;
BEGIN
    SELECT newest.id
      INTO v_session_id
      FROM (SELECT org_id AS of_org
              FROM public.org_members
             WHERE user_id OPERATOR(pg_catalog.=) p_user_id) AS member
     CROSS JOIN LATERAL (
            SELECT id, created_at
              FROM public.sessions
             WHERE org_id OPERATOR(pg_catalog.=) member.of_org
               AND course_id OPERATOR(pg_catalog.=) p_course_id
               AND status OPERATOR(pg_catalog.=) 'active'
             ORDER BY created_at DESC NULLS LAST, id DESC
             LIMIT 1
               FOR KEY SHARE
           ) AS newest
     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
     LIMIT 1;

    RETURN v_session_id;
END
$$;
ALTER FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid) IS 'The newest active session of the course in one of the user''s organisations, which cannot be deleted before the transaction ends; NULL if none';
CREATE PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean DEFAULT false, IN p_where text DEFAULT NULL::text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET check_function_bodies TO 'off'
    AS $$
/*
 * Creates or replaces a function or trigger from its source, and records it. Of a function PUBLIC may not make use,
 * unless p_public. A trigger that is so already is left alone, for its lock; one that was disabled stays so, though
 * CREATE OR REPLACE TRIGGER enables it.
 *
 * p_parent is the table of a trigger, the schema of a function ("platform" is the platform's). p_where: only where
 * session_id of the table is ours ("created") or was there before us ("found"); the platform's own triggers may write
 * it then, and are not checked before they are taken over.
 *
 * check_function_bodies is off: functions may name each other, in whatever order they come.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table of a trigger, where that is made or replaced.
 */
DECLARE
    v_source text := sessiondb.compile(p_source);
    v_sha256 text := encode(sha256(convert_to(v_source, 'UTF8')), 'hex');
    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_object text;
    v_enabled "char";
BEGIN
    IF p_where IS NOT NULL AND NOT EXISTS (
        SELECT FROM sessiondb.objects AS o
         WHERE o.kind = 'column' AND o.parent = p_parent AND o.name = 'session_id' AND o.origin = p_where)
    THEN
        RETURN;
    END IF;
    IF p_kind = 'trigger' AND EXISTS (
        SELECT FROM sessiondb.objects AS o
          JOIN (
WITH wanted (kind, parent, name, arguments) AS (
SELECT p_kind, p_parent, p_name::text, p_arguments
),
platform AS (
    SELECT c.oid, c.relname
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND c.relkind IN ('r', 'p')
)
SELECT w.kind, w.parent, w.name, f.facts, coalesce(f.comment LIKE '%(sessiondb)', false) AS is_ours
  FROM wanted AS w
 CROSS JOIN LATERAL (
        SELECT jsonb_build_object('columns', (
                   SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
                     FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS facts,
               NULL AS comment
          FROM pg_class AS c
         WHERE w.kind = 'table' AND c.relname = w.name AND c.relkind = 'r'
           AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = 'sessiondb')
        UNION ALL
        SELECT jsonb_build_object('type', t.typname, 'not null', a.attnotnull, 'default', a.atthasdef),
               col_description(c.oid, a.attnum)
          FROM platform AS c
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped
          JOIN pg_type AS t ON t.oid = a.atttypid
         WHERE w.kind = 'column' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'type', k.contype, 'refers to', r.relname, 'on delete', k.confdeltype, 'validated', k.convalidated,
                   'columns', (SELECT array_agg(a.attname ORDER BY u.place)
                                 FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.attnum)),
               obj_description(k.oid, 'pg_constraint')
          FROM platform AS c
          JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = w.name
          LEFT JOIN pg_class AS r ON r.oid = k.confrelid
         WHERE w.kind = 'constraint' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'valid', d.indisvalid, 'unique', d.indisunique,
                   'columns', (SELECT array_agg(pg_get_indexdef(d.indexrelid, u.place::integer, true) || '/' || u.options ORDER BY u.place)
                                 FROM unnest(d.indoption) WITH ORDINALITY AS u (options, place)),
                   'where', regexp_replace(pg_get_expr(d.indpred, d.indrelid), '::("[^"]*"|[a-z_. ])+|[() ]', '', 'g')),
               obj_description(x.oid, 'pg_class')
          FROM platform AS c
          JOIN pg_index AS d ON d.indrelid = c.oid
          JOIN pg_class AS x ON x.oid = d.indexrelid AND x.relname = w.name
         WHERE w.kind = 'index' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'type', t.tgtype, 'function', n.nspname || '.' || p.proname, 'arguments', encode(t.tgargs, 'escape'),
                   'columns', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),
                   'when', substring(pg_get_triggerdef(t.oid, true), 'WHEN \((.*)\) EXECUTE FUNCTION')),
               obj_description(t.oid, 'pg_trigger')
          FROM platform AS c
          JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = w.name AND NOT t.tgisinternal
          JOIN pg_proc AS p ON p.oid = t.tgfoid
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE w.kind = 'trigger' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'body', p.prosrc, 'settings', p.proconfig, 'security definer', p.prosecdef, 'volatility', p.provolatile,
                   'parallel', p.proparallel, 'strict', p.proisstrict, 'language', l.lanname, 'kind', p.prokind,
                   'names', p.proargnames, 'result', t.typname, 'set', p.proretset,
                   'types', (SELECT array_agg(a.typname ORDER BY u.place)
                               FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)
                               JOIN pg_type AS a ON a.oid = u.type),
                   'defaults', pg_get_expr(p.proargdefaults, 0)),
               obj_description(p.oid, 'pg_proc')
          FROM pg_proc AS p
          JOIN pg_language AS l ON l.oid = p.prolang
          JOIN pg_type AS t ON t.oid = p.prorettype
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE w.kind = 'function' AND p.proname = w.name
           AND oidvectortypes(p.proargtypes) = w.arguments
           AND n.nspname = CASE w.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE w.parent END
       ) AS f
               ) AS f ON f.facts @> o.facts
         WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name
           AND o.migration = p_migration AND o.sha256 = v_sha256)
    THEN
        RETURN;
    END IF;
    IF p_kind = 'trigger' THEN
        v_object := format('%I.%I', v_schema, p_parent);
        CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', v_object);
        v_enabled := (SELECT t.tgenabled FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(v_object) AND t.tgname = p_name);
        CALL sessiondb.run_on_platform(v_source);
        IF v_enabled <> 'O' THEN
            CALL sessiondb.run_on_platform(format('ALTER TABLE %s %s TRIGGER %I', v_object,
                CASE v_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, p_name));
        END IF;
        v_object := format('TRIGGER %I ON %s', p_name, v_object);
    ELSE
        v_object := format('%I.%I(%s)', CASE p_parent WHEN 'platform' THEN v_schema ELSE p_parent END, p_name, p_arguments);
        CALL sessiondb.run_on_platform(v_source);
        -- what another role makes here in this very moment is replaced, and stays that role's
        IF to_regprocedure(v_object) IN (SELECT p.oid FROM pg_proc AS p WHERE p.proowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user))
            AND NOT EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name AND o.facts IS NOT NULL)
        THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_in_use',
                MESSAGE = format('another role makes a function %s at the same time', v_object),
                HINT = 'Drop that function, then run sessiondb apply again.';
        END IF;
        v_object := format('ROUTINE %s', v_object);
        IF NOT p_public THEN
            CALL sessiondb.run_on_platform(format('REVOKE ALL ON %s FROM PUBLIC', v_object));
        END IF;
    END IF;
    CALL sessiondb.run_on_platform(format('COMMENT ON %s IS %L', v_object, p_comment));
    INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, sha256)
    VALUES (p_kind, p_parent, p_name, p_arguments, p_migration, 'created', v_sha256)
    ON CONFLICT (kind, parent, name) DO UPDATE SET migration = EXCLUDED.migration, sha256 = EXCLUDED.sha256, facts = NULL;
END
$$;
ALTER PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean, IN p_where text) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean, IN p_where text) IS 'Creates or replaces a function or trigger of sessiondb from its source, and records it';
CREATE FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it
 * as it was, though a membership may have ended since. The row is found by its key; only then is there such a table at
 * all.
 */
DECLARE
    v_saved regclass := to_regclass('sessiondb.saved_links_of_' || p_table);
    v_found boolean;
BEGIN
    IF v_saved IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE (
        SELECT format('SELECT EXISTS (SELECT FROM %s AS s WHERE %s)', v_saved,
                      string_agg(format('s.%I = (jsonb_populate_record(NULL::%s, $1)).%I', a.attname, v_saved, a.attname), ' AND '))
          FROM pg_attribute AS a
          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
         WHERE a.attrelid = v_saved
           AND (a.attnum = ANY (k.conkey) OR a.attname = 'session_id'))
       INTO v_found
      USING p_row;
    RETURN v_found;
END
$_$;
ALTER FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) IS 'Whether a rollback saved the link of a row, so that an apply restores it';
CREATE FUNCTION sessiondb.keep_batch(p_turn bigint, p_to_row tid, p_scanned bigint, p_linked bigint, p_skipped bigint, p_reasons jsonb) RETURNS TABLE(table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Keeps what link_batch() did with the pages of next_batch(), and returns what backfill_step() does.
 */
UPDATE sessiondb.backfill_progress AS p
   SET position = jsonb_build_object('block', (string_to_array(btrim(p_to_row::text, '()'), ','))[1]::bigint),
       scanned = p.scanned + p_scanned, linked = p.linked + p_linked, skipped = p.skipped + p_skipped,
       reasons = p.reasons || coalesce((
           SELECT jsonb_object_agg(e.key, e.value::bigint + coalesce((p.reasons ->> e.key)::bigint, 0))
             FROM jsonb_each_text(p_reasons) AS e), '{}')
 WHERE p.turn = p_turn;

SELECT (SELECT p.table_name FROM sessiondb.backfill_progress AS p WHERE p.turn = p_turn), p_scanned, p_linked,
       sum(CASE WHEN p.finished_at IS NULL THEN coalesce((p.position ->> 'block')::bigint, 0) ELSE s.blocks END)::bigint,
       sum(s.blocks)::bigint
  FROM sessiondb.backfill_progress AS p
 CROSS JOIN LATERAL (SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks) AS s
$$;
ALTER FUNCTION sessiondb.keep_batch(p_turn bigint, p_to_row tid, p_scanned bigint, p_linked bigint, p_skipped bigint, p_reasons jsonb) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.keep_batch(p_turn bigint, p_to_row tid, p_scanned bigint, p_linked bigint, p_skipped bigint, p_reasons jsonb) IS 'Keeps what a backfill did with a range of pages, and says how far it is';
CREATE FUNCTION sessiondb.link_batch(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, p_mode text) RETURNS TABLE(scanned bigint, linked bigint, skipped bigint, reasons jsonb)
    LANGUAGE plpgsql
    AS $_$
/*
 * Links the rows without a session in a range of pages of enrollments or submissions (p_table), or of one partition of
 * it, to what the trigger would choose now, and counts those for which there is nothing to choose, by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 * p_mode        link: a row that another transaction has locked is skipped; wait: it is waited for, and skipped if it
 *               was changed meanwhile; count: nothing is written, and linked is what would be
 *
 * Only rows that get a session are locked, and no more strongly than an UPDATE of a column that is no key does.
 */
DECLARE
    v_row_ids pg_catalog.tid[];
    v_session_ids pg_catalog.uuid[];
BEGIN
    SELECT c.scanned, c.row_ids, c.session_ids, c.reasons, coalesce(pg_catalog.cardinality(c.row_ids), 0), 0
      INTO scanned, v_row_ids, v_session_ids, reasons, linked, skipped
      FROM sessiondb.choose_for_pages(p_table, p_partition, p_from, p_to, p_session_id) AS c;

    IF linked OPERATOR(pg_catalog.>) 0 AND p_mode OPERATOR(pg_catalog.<>) 'count' THEN
        EXECUTE pg_catalog.format(
            $lock$
            SELECT pg_catalog.array_agg(l.row_id), pg_catalog.array_agg(l.session_id)
              FROM (SELECT r.ctid AS row_id, c.session_id
                      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS c (row_id, session_id)
                      JOIN ONLY %s AS r ON r.ctid OPERATOR(pg_catalog.=) c.row_id
                     WHERE r.ctid OPERATOR(pg_catalog.>=) $3 AND r.ctid OPERATOR(pg_catalog.<) $4
                       AND r.session_id IS NULL
                       FOR NO KEY UPDATE OF r %s) AS l
            $lock$,
            p_partition, CASE WHEN p_mode OPERATOR(pg_catalog.=) 'link' THEN 'SKIP LOCKED' END)
           INTO v_row_ids, v_session_ids
          USING v_row_ids, v_session_ids, p_from, p_to;
        skipped := linked OPERATOR(pg_catalog.-) coalesce(pg_catalog.cardinality(v_row_ids), 0);

        EXECUTE pg_catalog.format(
            $update$
            UPDATE ONLY %s AS r
               SET session_id = l.session_id
              FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (row_id, session_id)
             WHERE r.ctid OPERATOR(pg_catalog.=) l.row_id
               AND r.ctid OPERATOR(pg_catalog.>=) $3 AND r.ctid OPERATOR(pg_catalog.<) $4
            $update$,
            p_partition)
          USING v_row_ids, v_session_ids, p_from, p_to;
        GET DIAGNOSTICS linked = ROW_COUNT;
    END IF;
    RETURN NEXT;
END
$_$;
ALTER FUNCTION sessiondb.link_batch(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, p_mode text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.link_batch(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, p_mode text) IS 'Links the rows without a session in a range of pages of a table, or counts what it would link';
CREATE FUNCTION sessiondb.link_enrollment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
/*
 * BEFORE INSERT on enrollments, only where session_id is NULL: the session of the student in the course. None found
 * leaves NULL; an enrolment never fails for want of a session.
 *
 * SECURITY DEFINER: a student may enrol without the right to read org_members or sessions.
 */
BEGIN
    NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);
    RETURN NEW;
END
$$;
ALTER FUNCTION sessiondb.link_enrollment() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.link_enrollment() IS 'Trigger function: gives a new enrolment the session of its student in its course';
CREATE FUNCTION sessiondb.link_submission() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
/*
 * BEFORE INSERT on submissions, only where session_id is NULL: the session of the student's enrolment in the course
 * while it is still eligible (so that a student of the autumn group stays in it when a winter group opens), else his
 * session in the course as for an enrolment. None found leaves NULL; a submission never fails for want of a session.
 *
 * FOR KEY SHARE and the names of columns as in find_session(). LIMIT 1 in the inner query keeps the planner from joining the other way round,
 * and so from reading all active sessions of the course in the student's organisations.
 *
 * In the source course_of() stands for the way to the course; sessiondb.compile() put the expression of this platform
 * in its place.
 *
 * SECURITY DEFINER: a student may submit without the right to read org_members or sessions.
 */
DECLARE
    v_course_id pg_catalog.uuid := (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) NEW.exercise_id)::pg_catalog.uuid;
BEGIN
    SELECT eligible.id
      INTO NEW.session_id
      FROM (SELECT session_id AS of_session
              FROM public.enrollments
             WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
               AND course_id OPERATOR(pg_catalog.=) v_course_id) AS enrollment
     CROSS JOIN LATERAL (
            SELECT found.id, found.created_at
              FROM (SELECT id, org_id AS of_org, created_at
                      FROM public.sessions
                     WHERE id OPERATOR(pg_catalog.=) enrollment.of_session
                       AND course_id OPERATOR(pg_catalog.=) v_course_id
                       AND status OPERATOR(pg_catalog.=) 'active') AS found
             WHERE EXISTS (SELECT
                             FROM public.org_members
                            WHERE org_id OPERATOR(pg_catalog.=) found.of_org
                              AND user_id OPERATOR(pg_catalog.=) NEW.user_id)
             LIMIT 1
               FOR KEY SHARE OF found
           ) AS eligible
     ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
     LIMIT 1;

    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);
    END IF;
    RETURN NEW;
END
$$;
ALTER FUNCTION sessiondb.link_submission() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.link_submission() IS 'Trigger function: gives a new submission the session of its student in its course';
CREATE PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[])
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Locks each of the tables, and its partitions, for what comes next in the transaction, so that nobody
 * else is ever cancelled for our sake. A lock that is not to be had in time is an error that says who is in the way.
 *
 * The first table is waited for as long as lock_timeout says. Everybody queues behind us there, and one of those may
 * have what we want next: a deadlock, which the server finds deadlock_timeout after he began to wait, and ends by
 * cancelling him. So the other locks are waited for 100 ms at most, and only until nobody can have stood behind us for
 * that long.
 *
 * Whoever builds an index concurrently waits in the end for all older snapshots, ours among them. While there is one,
 * we do not even begin to wait: he would be the one to be cancelled.
 */
DECLARE
    v_began timestamptz := clock_timestamp();
    v_table regclass;
    v_builders integer[];
BEGIN
    FOR v_table IN
        WITH RECURSIVE tree AS (
            SELECT t.relid, ARRAY[t.place] AS place
              FROM unnest(p_tables) WITH ORDINALITY AS t (relid, place)
             UNION ALL
            SELECT i.inhrelid, t.place || i.inhrelid::bigint
              FROM tree AS t
              JOIN pg_inherits AS i ON i.inhparent = t.relid
        )
        SELECT t.relid
          FROM tree AS t
          JOIN pg_class AS c ON c.oid = t.relid AND c.relkind IN ('r', 'p')
         ORDER BY cardinality(t.place), t.place
    LOOP
        v_builders := ARRAY(
            SELECT b.pid
              FROM pg_stat_progress_create_index AS b
              JOIN pg_locks AS l ON l.pid = b.pid AND l.relation = v_table AND l.granted
             -- another database that was copied from the same one may have a table with this oid
             WHERE b.datname = current_database() AND l.mode = 'ShareUpdateExclusiveLock' AND b.pid <> pg_backend_pid());
        IF v_builders <> '{}' THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('an index is being built on table %s', v_table),
                DETAIL = 'In the way: ' || (SELECT string_agg(w.description, '; ' ORDER BY w.pid)
  FROM (
        SELECT a.pid,
               -- of another role only those who may read all statistics see more than pid, role and application
               format(
                   'pid %s (%s): %s',
                   a.pid,
                   concat_ws(', ',
                       coalesce(nullif(a.application_name, ''), 'no application name'), 'role ' || a.usename::text, a.state,
                       'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start)::text),
                   -- and of a password nothing
                   left(regexp_replace(regexp_replace(a.query, '\s+', ' ', 'g'), '(password|passwd|pwd|secret|://).*', '\1 ...', 'i'), 80)) AS description
          FROM pg_stat_activity AS a
         WHERE a.pid = ANY (v_builders)
         UNION ALL
        SELECT 0, format('prepared transaction %L of role %s, prepared %s', x.gid, x.owner, x.prepared)
          FROM pg_prepared_xacts AS x
         WHERE 0 = ANY (v_builders)
       ) AS w),
                HINT = 'Run it again when that is done.';
        END IF;
        BEGIN
            EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', v_table, p_mode);
        EXCEPTION WHEN lock_not_available THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('%s: %s on table %s', SQLERRM, p_mode, v_table),
                DETAIL = 'In the way: ' || coalesce(
                    (SELECT (SELECT string_agg(w.description, '; ' ORDER BY w.pid)
  FROM (
        SELECT a.pid,
               -- of another role only those who may read all statistics see more than pid, role and application
               format(
                   'pid %s (%s): %s',
                   a.pid,
                   concat_ws(', ',
                       coalesce(nullif(a.application_name, ''), 'no application name'), 'role ' || a.usename::text, a.state,
                       'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start)::text),
                   -- and of a password nothing
                   left(regexp_replace(regexp_replace(a.query, '\s+', ' ', 'g'), '(password|passwd|pwd|secret|://).*', '\1 ...', 'i'), 80)) AS description
          FROM pg_stat_activity AS a
         WHERE a.pid = ANY (h.pids)
         UNION ALL
        SELECT 0, format('prepared transaction %L of role %s, prepared %s', x.gid, x.owner, x.prepared)
          FROM pg_prepared_xacts AS x
         WHERE 0 = ANY (h.pids)
       ) AS w) FROM (SELECT ARRAY(
                        SELECT coalesce(l.pid, 0)
                          FROM pg_locks AS l
                         WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                           AND l.relation = v_table
                           AND l.granted
                           AND l.pid IS DISTINCT FROM pg_backend_pid()
                           AND l.mode <> ALL (CASE p_mode
                                   WHEN 'ACCESS EXCLUSIVE' THEN '{}'
                                   WHEN 'SHARE ROW EXCLUSIVE' THEN '{AccessShareLock, RowShareLock}'
                                   ELSE '{AccessShareLock, RowShareLock, RowExclusiveLock}'
                               END::text[])) AS pids) AS h),
                    'unknown, it has just ended'),
                HINT = 'Run it again when what is in the way has ended.';
        END;
        PERFORM set_config(
            'lock_timeout',
            format('%sms', greatest(1, least(100, (EXTRACT(epoch FROM
                0.9 * current_setting('deadlock_timeout')::interval - (clock_timestamp() - v_began)) * 1000)::integer))),
            true);
    END LOOP;
END
$$;
ALTER PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[]) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[]) IS 'Locks tables and their partitions, so that nobody else is cancelled for our sake, or says who is in the way';
CREATE FUNCTION sessiondb.name_of(p_kind text, p_id uuid) RETURNS text
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * What people call an organisation (p_kind is org), its name or slug, and a session or a course, its title with the id;
 * of what has no such column, the id. to_jsonb() reads columns that a platform need not have.
 */
SELECT CASE p_kind
           WHEN 'org' THEN coalesce(f.found ->> 'name', f.found ->> 'slug', 'organisation ' || p_id)
           ELSE coalesce('"' || (f.found ->> 'title') || '" (' || p_id || ')', p_id::text)
       END
  FROM (SELECT sessiondb.ask(format('SELECT pg_catalog.to_jsonb(r.*) FROM %I.%I AS r WHERE r.id OPERATOR(pg_catalog.=) %L',
                                    i.platform_schema, p_kind || 's', p_id)) AS found
          FROM sessiondb.installation AS i) AS f
$$;
ALTER FUNCTION sessiondb.name_of(p_kind text, p_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.name_of(p_kind text, p_id uuid) IS 'What people call an organisation, a session or a course';
CREATE FUNCTION sessiondb.next_batch(p_rows integer) RETURNS TABLE(turn bigint, table_name name, partition regclass, session_id uuid, from_row tid, to_row tid, mode text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * The pages that backfill_step() is to link next, with about p_rows rows of the table; no row when the backfill is
 * finished. The arguments of link_batch() are among the columns.
 *
 * Rows that another transaction had locked are waited for in a second pass over their table. One that was changed
 * meanwhile may be anywhere in it now, and lead to another session or to none: so passes follow until one has skipped
 * no row, and each counts from the beginning.
 */
DECLARE
    v_at record;
BEGIN
    LOOP
        SELECT p.*, coalesce((p.position ->> 'block')::bigint, 0) AS block, c.relfilenode AS file, c.reltuples, c.relpages,
               pg_relation_size(c.oid) / current_setting('block_size')::integer AS blocks
          INTO v_at
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN sessiondb.installation AS i
          LEFT JOIN pg_class AS c
            ON c.oid = p.partition
           AND coalesce(pg_partition_root(c.oid), c.oid) = to_regclass(format('%I.%I', i.platform_schema, p.table_name))
         WHERE p.finished_at IS NULL
         ORDER BY p.turn
         LIMIT 1
           FOR UPDATE OF p;
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
        EXIT WHEN v_at.file = v_at.relfilenode AND v_at.block < v_at.blocks;

        IF v_at.file <> v_at.relfilenode OR v_at.file IS NOT NULL AND v_at.skipped > 0 THEN
            -- from its first page again: one that was rewritten has other pages than those that we have seen
            UPDATE sessiondb.backfill_progress AS p
               SET position = NULL, scanned = p.linked, skipped = 0, reasons = '{}',
                   second_pass = v_at.file = p.relfilenode, relfilenode = v_at.file,
                   started_at = CASE WHEN v_at.file = p.relfilenode THEN p.started_at ELSE now() END
             WHERE p.turn = v_at.turn;
        ELSE
            -- also if it was detached or dropped meanwhile: what was linked there stays counted
            UPDATE sessiondb.backfill_progress AS p SET finished_at = now() WHERE p.turn = v_at.turn;
        END IF;
    END LOOP;

    turn := v_at.turn;
    table_name := v_at.table_name;
    partition := v_at.partition;
    session_id := v_at.session_id;
    mode := CASE WHEN v_at.second_pass THEN 'wait' ELSE 'link' END;
    from_row := format('(%s,0)', v_at.block)::tid;
    -- about 50 rows on a page, where the statistics are of none or of a time when the table was much smaller; the
    -- backfill itself makes it twice as large
    to_row := format('(%s,0)', least(v_at.blocks, v_at.block + greatest(1, p_rows / CASE
        WHEN v_at.reltuples > 0 AND v_at.relpages * 3 >= v_at.blocks THEN v_at.reltuples / v_at.relpages ELSE 50 END)::bigint))::tid;
    RETURN NEXT;
END
$$;
ALTER FUNCTION sessiondb.next_batch(p_rows integer) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.next_batch(p_rows integer) IS 'The pages that backfill_step() is to link next; no row when the backfill is finished';
CREATE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid) RETURNS text
    LANGUAGE sql STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a
 * session of a course in it (session, the course), by one of its members, no student if it has others. It names the
 * organisation by its slug, quoted for a shell; on a platform without slugs only SQL can do it.
 */
WITH org AS (
    SELECT i.platform_schema,
           CASE WHEN f.slug ~ '^[A-Za-z0-9._-]+$' THEN f.slug ELSE '''' || replace(f.slug, '''', '''\''''') || '''' END AS slug
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
            SELECT sessiondb.ask(format('SELECT pg_catalog.to_jsonb(r.*) FROM %I.orgs AS r WHERE r.id OPERATOR(pg_catalog.=) %L',
                                        i.platform_schema, p_org_id)) ->> 'slug' AS slug
           ) AS f
)
SELECT CASE p_what
           WHEN 'member' THEN coalesce(
               'sessiondb member add --org ' || o.slug || ' --user ' || p_id,
               format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)', o.platform_schema, p_org_id, p_id))
           WHEN 'session' THEN coalesce(
               'sessiondb session create --org ' || o.slug || ' --course ' || p_id || ' --by '
               || (sessiondb.ask(format(
                      $by$
                      SELECT pg_catalog.to_jsonb(m.user_id)
                        FROM %I.org_members AS m
                       WHERE m.org_id OPERATOR(pg_catalog.=) %L
                       ORDER BY (pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) 'role'::pg_catalog.text) OPERATOR(pg_catalog.=) 'student', m.user_id
                       LIMIT 1
                      $by$, o.platform_schema, p_org_id)) #>> '{}'),
               format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)', o.platform_schema, p_org_id, p_id, 'active'))
       END
  FROM org AS o
$_$;
ALTER FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid) IS 'The command that adds a member to an organisation or creates a session in it';
CREATE FUNCTION sessiondb.org_of_slug(p_slug text) RETURNS uuid
    LANGUAGE plpgsql STABLE
    AS $$
/*
 * The id of the organisation with this slug; raises no_data_found when there is none. OPERATOR(pg_catalog.=): a slug
 * may be varchar, and the catalog has no "=" for varchar and text.
 */
DECLARE
    -- not o.slug: where there is no such column, that would call a function slug(orgs) that somebody made
    v_id pg_catalog.uuid := (SELECT o.id FROM public.orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug);
BEGIN
    IF v_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no organisation with the slug "%s"', p_slug),
            HINT = 'Create it with: sessiondb org create --name NAME --slug SLUG';
    END IF;
    RETURN v_id;
END
$$;
ALTER FUNCTION sessiondb.org_of_slug(p_slug text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.org_of_slug(p_slug text) IS 'The id of the organisation with a slug; raises no_data_found when there is none';
CREATE FUNCTION sessiondb.query_of_course(p_steps jsonb, p_user_id uuid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * For explain_course(), the query of a row from which these steps of the way lead to a course: best to one that the
 * user is enrolled in, then to one that has an active session in an organisation of the user; an enrolment only of the
 * user. It returns the row, the course_id, and whether the user is enrolled in that.
 */
SELECT format(
           $query$
           SELECT pg_catalog.jsonb_build_object('row', pg_catalog.to_jsonb(t1.*), 'course_id', k.id, 'is_enrolled', f.is_enrolled)
             FROM %1$s
             JOIN %2$I.courses AS k ON k.id OPERATOR(pg_catalog.=) t%3$s.id
            CROSS JOIN LATERAL (
                   SELECT EXISTS (SELECT FROM %2$I.enrollments AS e
                                   WHERE e.user_id OPERATOR(pg_catalog.=) %4$L AND e.course_id OPERATOR(pg_catalog.=) k.id) AS is_enrolled,
                          EXISTS (SELECT FROM %2$I.org_members AS m JOIN %2$I.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id
                                   WHERE m.user_id OPERATOR(pg_catalog.=) %4$L AND s.course_id OPERATOR(pg_catalog.=) k.id
                                     AND s.status OPERATOR(pg_catalog.=) 'active') AS has_session
                  ) AS f
            WHERE %5$s
            ORDER BY f.is_enrolled DESC, f.has_session DESC, k.id, t1.%6$I
            LIMIT 1
           $query$,
           string_agg(CASE s.place WHEN 1 THEN s."to" || ' AS t1' ELSE (
               SELECT format('JOIN %s AS t%s ON %s', s."to", s.place, string_agg(
                          format('t%s.%I %s t%s.%I', s.place, c.key, c.operator, s.place - 1, c.name), ' AND '))
                 FROM unnest(s.columns, s.keys, s.operators) AS c (name, key, operator)) END, ' ' ORDER BY s.place),
           i.platform_schema,
           max(s.place),
           p_user_id,
           CASE WHEN p_steps -> 0 ->> 'to' = format('%I.enrollments', i.platform_schema)
                THEN format('t1.user_id OPERATOR(pg_catalog.=) %L', p_user_id) ELSE 'true' END,
           (array_agg(s.keys[1] ORDER BY s.place))[1])
  FROM sessiondb.installation AS i
 CROSS JOIN ROWS FROM (jsonb_to_recordset(p_steps) AS ("from" text, columns text[], "to" text, keys text[], operators text[]))
       WITH ORDINALITY AS s ("from", columns, "to", keys, operators, place)
 GROUP BY i.platform_schema
$_$;
ALTER FUNCTION sessiondb.query_of_course(p_steps jsonb, p_user_id uuid) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.query_of_course(p_steps jsonb, p_user_id uuid) IS 'The query of a row that leads to a course, for explain_course()';
CREATE PROCEDURE sessiondb.require_trusted()
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Refuses to go on where schema sessiondb holds what belongs to a role that is not trusted, or where a column that is
 * read is gone: s.status would then be a call of a function status(s), whoever made it. Whoever calls backfill() trusts
 * its owner.
 */
DECLARE
    v_owner oid := (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'sessiondb.backfill(uuid)'::regprocedure);
    v_found text := (
        SELECT string_agg(format('%s (role %s)', s.object, s.role), ', ')
          FROM (
WITH trusted (oid) AS (
    SELECT r.oid FROM pg_roles AS r WHERE r.rolsuper OR r.rolname = current_user
    UNION ALL
    SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()
    UNION ALL
    SELECT o.oid FROM (SELECT v_owner) AS o (oid) WHERE o.oid IS NOT NULL
),
home AS (
    SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
)
SELECT o.object, CASE o.owner WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o.owner)) END AS role, o.may_create
  FROM (
        SELECT 'schema sessiondb' AS object, h.nspowner AS owner, false AS may_create FROM home AS h
        UNION ALL
        SELECT 'schema sessiondb', a.grantee, true
          FROM home AS h
         CROSS JOIN LATERAL aclexplode(h.nspacl) AS a
         WHERE a.privilege_type = 'CREATE'
        UNION ALL
        SELECT format('relation %s', c.oid::regclass), c.relowner, false
          FROM pg_class AS c JOIN home AS h ON h.oid = c.relnamespace
        UNION ALL
        SELECT format('routine %s', p.oid::regprocedure), p.proowner, false
          FROM pg_proc AS p JOIN home AS h ON h.oid = p.pronamespace
         WHERE p.proname <> 'replaced_get_user_session_for_course'
        UNION ALL
        SELECT format('type %s', t.oid::regtype), t.typowner, false
          FROM pg_type AS t JOIN home AS h ON h.oid = t.typnamespace
        UNION ALL
        SELECT format('operator %s', p.oid::regoperator), p.oprowner, false
          FROM pg_operator AS p JOIN home AS h ON h.oid = p.oprnamespace
        UNION ALL
        SELECT format('operator class sessiondb.%I', p.opcname), p.opcowner, false
          FROM pg_opclass AS p JOIN home AS h ON h.oid = p.opcnamespace
        UNION ALL
        SELECT format('collation %s', c.oid::regcollation), c.collowner, false
          FROM pg_collation AS c JOIN home AS h ON h.oid = c.collnamespace
       ) AS o
 WHERE o.owner NOT IN (SELECT t.oid FROM trusted AS t)
 ORDER BY o.may_create, o.object
               ) AS s);
    v_column text;
BEGIN
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('schema sessiondb is open to roles that are not trusted: %s', v_found),
            HINT = 'See: sessiondb check';
    END IF;
    SELECT concat_ws('.', i.platform_schema, r.table_name, r.column_name)
      INTO v_column
      FROM sessiondb.installation AS i
     CROSS JOIN (VALUES ('courses', 'id'), ('org_members', 'org_id'), ('org_members', 'user_id'),
                        ('sessions', 'id'), ('sessions', 'org_id'), ('sessions', 'course_id'), ('sessions', 'status'), ('sessions', 'created_at'),
                        ('enrollments', 'user_id'), ('enrollments', 'course_id'), ('enrollments', 'session_id'),
                        ('submissions', 'user_id'), ('submissions', 'session_id')) AS r (table_name, column_name)
     WHERE NOT EXISTS (
            SELECT FROM pg_attribute AS a
             WHERE a.attrelid = to_regclass(format('%I.%I', i.platform_schema, r.table_name))
               AND a.attname = r.column_name
               AND NOT a.attisdropped)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_column',
            MESSAGE = format('column %s does not exist', v_column),
            HINT = 'See: sessiondb check';
    END IF;
END
$$;
ALTER PROCEDURE sessiondb.require_trusted() OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.require_trusted() IS 'Refuses to go on where schema sessiondb is open to roles that are not trusted';
CREATE PROCEDURE sessiondb.run_on_platform(IN p_statement text)
    LANGUAGE plpgsql
    AS $$
/*
 * Runs a statement under the search_path that the connection began with, for the event triggers of the platform, and
 * whatever else of its own the statement makes run. To be called where the path is pinned, which it is afterwards.
 *
 * Between the two settings stands nothing but the statement: an expression there would be looked up in the platform's
 * schemas.
 */
BEGIN
    SET LOCAL search_path TO DEFAULT;
    EXECUTE p_statement;
    SET LOCAL search_path TO pg_catalog, pg_temp;
END
$$;
ALTER PROCEDURE sessiondb.run_on_platform(IN p_statement text) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.run_on_platform(IN p_statement text) IS 'Runs a statement under the search_path that the connection began with';
CREATE FUNCTION sessiondb.save_link() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
/*
 * AFTER INSERT or UPDATE, only while a rollback is under way: keeps the row's link beside those that were
 * saved in bulk, so that none is lost up to the moment the column goes. The trigger's argument is enrollments or
 * submissions; sessiondb.prepare_saved_links() made the table whose key the row is saved by. The dynamic SQL is paid
 * during a rollback only.
 *
 * SECURITY DEFINER: whoever writes to the table has no rights in schema sessiondb. Nothing but the two tables of the
 * platform is taken, and no SQL from a trigger's argument: whoever could call this function could put it on a table of
 * his own.
 */
DECLARE
    v_saved regclass := format('sessiondb.%I', 'saved_links_of_' || TG_ARGV[0]);
    v_columns text[] := ARRAY(
        SELECT quote_ident(a.attname) FROM pg_attribute AS a
         WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'
         ORDER BY a.attnum);
BEGIN
    IF coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) IS DISTINCT FROM (
            SELECT to_regclass(format('%I.%I', i.platform_schema, TG_ARGV[0]))::oid FROM sessiondb.installation AS i)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('trigger %I is on a table that sessiondb saves no links of', TG_NAME),
            HINT = 'Drop that trigger.';
    END IF;
    EXECUTE format('INSERT INTO %s (%s, session_id) VALUES (($1).%s, ($1).session_id) '
                   'ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s, session_id) = ROW (EXCLUDED.%s, EXCLUDED.session_id)',
                   v_saved, array_to_string(v_columns, ', '), array_to_string(v_columns, ', ($1).'),
                   'saved_links_of_' || TG_ARGV[0] || '_pkey', array_to_string(v_columns, ', '),
                   array_to_string(v_columns, ', EXCLUDED.'))
      USING NEW;
    RETURN NULL;
END
$_$;
ALTER FUNCTION sessiondb.save_link() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.save_link() IS 'Trigger function: keeps links that are written while a rollback is under way';
CREATE FUNCTION sessiondb.session_status(p_status text, p_is_used boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * p_status, if it is one that a session may have; raises invalid_parameter_value otherwise. Where the platform lists
 * its statuses, in an enum or a CHECK, the platform decides, when the row is written. Where the column takes any text,
 * a mistyped status would make a session that nobody is ever linked to, so only the usual words and those in use
 * (p_is_used) are taken.
 */
DECLARE
    v_labels text;
    v_has_check boolean;
    v_is_known boolean;
BEGIN
    SELECT (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = a.atttypid),
           EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey))
      INTO v_labels, v_has_check
      FROM sessiondb.installation AS i
      JOIN pg_attribute AS a ON a.attrelid = to_regclass(format('%I.sessions', i.platform_schema)) AND a.attname = 'status';
    v_is_known := CASE
        WHEN v_labels IS NOT NULL THEN p_status = ANY (string_to_array(v_labels, ', '))
        ELSE v_has_check OR p_is_used
             OR p_status IN ('draft', 'planned', 'scheduled', 'active', 'paused', 'completed', 'cancelled', 'archived')
    END;
    IF v_is_known THEN
        RETURN p_status;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('unknown session status "%s"', p_status),
        HINT = coalesce('The platform knows: ' || v_labels,
            'The status that links students is active; others in use are for instance draft, scheduled, completed, cancelled.');
END
$$;
ALTER FUNCTION sessiondb.session_status(p_status text, p_is_used boolean) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.session_status(p_status text, p_is_used boolean) IS 'The status, if a session may have it; raises invalid_parameter_value otherwise';
CREATE FUNCTION sessiondb.set_session_status(p_session_id uuid, p_status text) RETURNS TABLE(id uuid, org_id uuid, course_id uuid, title text, status text, linkable_enrollments bigint, linkable_submissions bigint)
    LANGUAGE plpgsql
    AS $$
/*
 * Gives the session another status, and counts the unlinked rows of its course that a backfill would link now. Rows
 * that are linked stay linked.
 */
#variable_conflict use_column
DECLARE
    v_status public.sessions.status%TYPE := sessiondb.session_status(
        p_status, EXISTS (SELECT FROM public.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) p_status));
BEGIN
    UPDATE public.sessions AS s
       SET status = v_status
     WHERE s.id OPERATOR(pg_catalog.=) p_session_id
    -- not s.title: where there is no such column, that would call a function title(sessions) that somebody made
    RETURNING s.id, s.org_id, s.course_id, pg_catalog.to_jsonb(s.*) OPERATOR(pg_catalog.->>) 'title'::pg_catalog.text, s.status::pg_catalog.text
         INTO id, org_id, course_id, title, status;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    SELECT l.enrollments, l.submissions
      INTO linkable_enrollments, linkable_submissions
      FROM sessiondb.count_linkable(course_id) AS l;
    RETURN NEXT;
END
$$;
ALTER FUNCTION sessiondb.set_session_status(p_session_id uuid, p_status text) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.set_session_status(p_session_id uuid, p_status text) IS 'Gives a session another status and counts the rows that a backfill would link now';
CREATE PROCEDURE sessiondb.start_backfill(IN p_session_id uuid)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * One row of sessiondb.backfill_progress for each table, or for each partition of it, enrolments first, since
 * submissions follow them. A backfill with the same argument that was stopped resumes where it stopped, and does not
 * look again at what it had passed.
 */
BEGIN
    IF EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.finished_at IS NULL)
        AND NOT EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.session_id IS DISTINCT FROM p_session_id)
    THEN
        UPDATE sessiondb.backfill_progress AS p
           SET started_at = now()
         WHERE p.finished_at IS NULL AND p.position IS NULL;
        RETURN;
    END IF;

    DELETE FROM sessiondb.backfill_progress;
    INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)
    SELECT b.turn, b.table_name, b.partition, c.relfilenode, p_session_id
      FROM sessiondb.backfill_partitions() WITH ORDINALITY AS b (table_name, partition, blocks, turn)
      JOIN pg_class AS c ON c.oid = b.partition;
END
$$;
ALTER PROCEDURE sessiondb.start_backfill(IN p_session_id uuid) OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.start_backfill(IN p_session_id uuid) IS 'Writes down which tables or partitions a backfill walks, or goes on with one that was stopped';
CREATE FUNCTION sessiondb.table_of_users(OUT users regclass, OUT key name) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * The table that user_id refers to, where the platform has one all of which the caller may read, and its key.
 */
SELECT k.confrelid, f.attname
  FROM sessiondb.installation AS i
 CROSS JOIN unnest(ARRAY['org_members', 'enrollments', 'submissions']) WITH ORDINALITY AS t (name, place)
  JOIN pg_constraint AS k ON k.contype = 'f' AND k.conrelid = to_regclass(format('%I.%I', i.platform_schema, t.name))
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'user_id' AND k.conkey = ARRAY[a.attnum]
  JOIN pg_attribute AS f ON f.attrelid = k.confrelid AND k.confkey = ARRAY[f.attnum]
  JOIN pg_class AS c ON c.oid = k.confrelid
 WHERE has_schema_privilege(c.relnamespace, 'USAGE')
   AND has_column_privilege(k.confrelid, f.attnum, 'SELECT')
   AND NOT row_security_active(k.confrelid)
 ORDER BY t.place
 LIMIT 1
$$;
ALTER FUNCTION sessiondb.table_of_users(OUT users regclass, OUT key name) OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.table_of_users(OUT users regclass, OUT key name) IS 'The table that user_id refers to, and its key';
CREATE FUNCTION sessiondb.triggers_that_fire() RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Which triggers of the platform a backfill fires, since linking is an UPDATE of each row: they may write updated_at,
 * or refuse it. On a partitioned table those of the partitions fire.
 */
SELECT format('Linking a row of %s fires the platform''s triggers on UPDATE: %s.',
              b.table_name, string_agg(DISTINCT quote_ident(t.tgname), ', '))
  FROM sessiondb.backfill_partitions() AS b
  JOIN pg_attribute AS a ON a.attrelid = b.partition AND a.attname = 'session_id'
  JOIN pg_trigger AS t ON t.tgrelid = a.attrelid
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
 WHERE NOT t.tgisinternal
   AND t.tgenabled IN ('O', 'A')
   AND t.tgtype & 16 > 0
   AND (a.attnum = ANY (t.tgattr) OR cardinality(t.tgattr::smallint[]) = 0)
 GROUP BY b.table_name
$$;
ALTER FUNCTION sessiondb.triggers_that_fire() OWNER TO postgres;
COMMENT ON FUNCTION sessiondb.triggers_that_fire() IS 'Which triggers of the platform a backfill fires';
CREATE PROCEDURE sessiondb.withdraw_default_grants()
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
/*
 * Takes back what default privileges of the platform (ALTER DEFAULT PRIVILEGES without IN SCHEMA) gave to other roles
 * on what was made in schema sessiondb: there are backends that grant everything to the roles of their API that way.
 * What was granted by hand to other roles than those stays.
 */
DECLARE
    v_revoke text;
BEGIN
    FOR v_revoke IN
        WITH object (type, owner, acl, name) AS (
            SELECT 'n', n.nspowner, n.nspacl, format('SCHEMA %I', n.nspname)
              FROM pg_namespace AS n
             WHERE n.nspname = 'sessiondb'
            UNION ALL
            SELECT 'r', c.relowner, c.relacl, format('TABLE %s', c.oid::regclass)
              FROM pg_class AS c
             WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v')
            UNION ALL
            SELECT 'f', p.proowner, p.proacl, format('ROUTINE %s', p.oid::regprocedure)
              FROM pg_proc AS p
             WHERE p.pronamespace = to_regnamespace('sessiondb')
        )
        SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', o.name,
                               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
          FROM object AS o
          JOIN pg_default_acl AS d ON d.defaclrole = o.owner AND d.defaclobjtype = o.type AND d.defaclnamespace = 0
         CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g
         CROSS JOIN LATERAL aclexplode(o.acl) AS a
         WHERE a.grantee = g.grantee
           AND a.grantee <> o.owner
           -- which functions are for everybody is said where they are made
           AND NOT (o.type = 'f' AND a.grantee = 0)
         ORDER BY 1
    LOOP
        CALL sessiondb.run_on_platform(v_revoke);
        RAISE NOTICE 'default privileges of the platform withdrawn: %', v_revoke;
    END LOOP;
END
$$;
ALTER PROCEDURE sessiondb.withdraw_default_grants() OWNER TO postgres;
COMMENT ON PROCEDURE sessiondb.withdraw_default_grants() IS 'Takes back what default privileges of the platform gave to other roles in schema sessiondb';
SET default_tablespace = '';

SET default_table_access_method = heap;
CREATE TABLE public.courses (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text NOT NULL
);
ALTER TABLE public.courses OWNER TO postgres;
CREATE TABLE public.enrollments (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    status text DEFAULT 'enrolled'::text NOT NULL,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    session_id uuid
);
ALTER TABLE public.enrollments OWNER TO postgres;
CREATE TABLE public.exercises (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    course_id uuid NOT NULL,
    title text NOT NULL
);
ALTER TABLE public.exercises OWNER TO postgres;
CREATE TABLE public.org_members (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text DEFAULT 'student'::text NOT NULL
);
ALTER TABLE public.org_members OWNER TO postgres;
CREATE TABLE public.orgs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.orgs OWNER TO postgres;
CREATE TABLE public.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    org_id uuid NOT NULL,
    course_id uuid NOT NULL,
    title text NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now(),
    starts_on date,
    ends_on date,
    CONSTRAINT sessions_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'completed'::text, 'cancelled'::text])))
);
ALTER TABLE public.sessions OWNER TO postgres;
CREATE TABLE public.submissions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    exercise_id uuid,
    content text,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL,
    session_id uuid
);
ALTER TABLE public.submissions OWNER TO postgres;
COMMENT ON COLUMN public.submissions.session_id IS 'The training session that the row belongs to, NULL if none (sessiondb)';
CREATE TABLE public.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    full_name text
);
ALTER TABLE public.users OWNER TO postgres;
CREATE TABLE sessiondb._yoyo_log (
    id character varying(36) NOT NULL,
    migration_hash character varying(64),
    migration_id character varying(255),
    operation character varying(10),
    username character varying(255),
    hostname character varying(255),
    comment character varying(255),
    created_at_utc timestamp without time zone
);
ALTER TABLE sessiondb._yoyo_log OWNER TO postgres;
COMMENT ON TABLE sessiondb._yoyo_log IS 'Every apply and rollback of a migration, by whom and when (yoyo-migrations)';
CREATE TABLE sessiondb._yoyo_migration (
    migration_hash character varying(64) NOT NULL,
    migration_id character varying(255),
    applied_at_utc timestamp without time zone
);
ALTER TABLE sessiondb._yoyo_migration OWNER TO postgres;
COMMENT ON TABLE sessiondb._yoyo_migration IS 'The migrations that are applied (yoyo-migrations)';
CREATE TABLE sessiondb._yoyo_version (
    version integer NOT NULL,
    installed_at_utc timestamp without time zone
);
ALTER TABLE sessiondb._yoyo_version OWNER TO postgres;
COMMENT ON TABLE sessiondb._yoyo_version IS 'The version of the ledger''s own tables (yoyo-migrations)';
CREATE TABLE sessiondb.backfill_progress (
    turn bigint NOT NULL,
    table_name name NOT NULL,
    partition regclass NOT NULL,
    relfilenode oid NOT NULL,
    session_id uuid,
    second_pass boolean DEFAULT false NOT NULL,
    "position" jsonb,
    scanned bigint DEFAULT 0 NOT NULL,
    linked bigint DEFAULT 0 NOT NULL,
    skipped bigint DEFAULT 0 NOT NULL,
    reasons jsonb DEFAULT '{}'::jsonb NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone
);
ALTER TABLE sessiondb.backfill_progress OWNER TO postgres;
COMMENT ON TABLE sessiondb.backfill_progress IS 'How far the last backfill is, a row for each table or partition';
COMMENT ON COLUMN sessiondb.backfill_progress.session_id IS 'The session that the backfill is limited to, NULL for all';
COMMENT ON COLUMN sessiondb.backfill_progress.second_pass IS 'True while the rows are taken that somebody had locked at first';
COMMENT ON COLUMN sessiondb.backfill_progress."position" IS 'Where the next batch begins, for instance {"block": 128}; NULL is the beginning';
COMMENT ON COLUMN sessiondb.backfill_progress.skipped IS 'How many rows this pass left, because somebody had locked or just changed them';
COMMENT ON COLUMN sessiondb.backfill_progress.reasons IS 'How many rows cannot be linked, by reason';
COMMENT ON COLUMN sessiondb.backfill_progress.started_at IS 'What was linkable then is linked when the table is finished';
CREATE TABLE sessiondb.installation (
    singleton boolean DEFAULT true NOT NULL,
    platform_schema name NOT NULL,
    search_path text NOT NULL,
    version text NOT NULL,
    course_path text,
    course_pieces text[],
    course_joins jsonb,
    CONSTRAINT installation_singleton_check CHECK (singleton)
);
ALTER TABLE sessiondb.installation OWNER TO postgres;
COMMENT ON TABLE sessiondb.installation IS 'What sessiondb knows of its platform; one row';
COMMENT ON COLUMN sessiondb.installation.platform_schema IS 'The schema with sessions, enrollments and submissions';
COMMENT ON COLUMN sessiondb.installation.search_path IS 'Of the functions that the platform calls: the path that the connection of apply began with, and pg_temp';
COMMENT ON COLUMN sessiondb.installation.version IS 'The version of sessiondb that applied last; an older one does not work on this database';
COMMENT ON COLUMN sessiondb.installation.course_path IS 'The columns that lead from a submission to its course';
COMMENT ON COLUMN sessiondb.installation.course_pieces IS 'The SQL expression of a submission''s course, cut where the name of its row belongs';
COMMENT ON COLUMN sessiondb.installation.course_joins IS 'What is joined with what from submissions to courses: from, columns, to, keys, operators';
CREATE TABLE sessiondb.migration_content (
    migration_id text NOT NULL,
    sha256 text NOT NULL
);
ALTER TABLE sessiondb.migration_content OWNER TO postgres;
COMMENT ON TABLE sessiondb.migration_content IS 'What each applied migration said';
COMMENT ON COLUMN sessiondb.migration_content.sha256 IS 'SHA-256 of its text; line endings, trailing blanks and the lines that name objects do not count';
CREATE TABLE sessiondb.objects (
    kind text NOT NULL,
    parent name NOT NULL,
    name name NOT NULL,
    arguments text DEFAULT ''::text NOT NULL,
    migration text NOT NULL,
    origin text NOT NULL,
    sha256 text,
    facts jsonb,
    previous_definition text,
    CONSTRAINT objects_kind_check CHECK ((kind = ANY ('{column,constraint,index,function,trigger}'::text[]))),
    CONSTRAINT objects_origin_check CHECK ((origin = ANY ('{created,found,replaced}'::text[])))
);
ALTER TABLE sessiondb.objects OWNER TO postgres;
COMMENT ON TABLE sessiondb.objects IS 'The objects that sessiondb needs in the platform, and which of them were there before';
COMMENT ON COLUMN sessiondb.objects.parent IS 'The table of a column, constraint, index or trigger; the schema of a function, "platform" for the platform''s';
COMMENT ON COLUMN sessiondb.objects.migration IS 'The number of the migration that it came with';
COMMENT ON COLUMN sessiondb.objects.origin IS 'created by us; found, and left alone by a rollback; replaced, and restored by a rollback';
COMMENT ON COLUMN sessiondb.objects.sha256 IS 'SHA-256 of the text of a function or trigger as it was compiled for this platform';
COMMENT ON COLUMN sessiondb.objects.facts IS 'As the catalogs showed it when it was made; NULL of an index or key whose job another one does';
COMMENT ON COLUMN sessiondb.objects.previous_definition IS 'What was there before us';
INSERT INTO public.courses VALUES ('00000000-0000-4000-8000-0000000000c1', 'Python for beginners');
INSERT INTO public.courses VALUES ('00000000-0000-4000-8000-0000000000c2', 'Data with SQL');
INSERT INTO public.courses VALUES ('f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'A course');
INSERT INTO public.enrollments VALUES ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'enrolled', '2024-09-02 09:00:00+00', NULL);
INSERT INTO public.enrollments VALUES ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 'completed', '2024-09-03 10:30:00+00', NULL);
INSERT INTO public.enrollments VALUES ('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', 'enrolled', '2024-09-04 18:45:00+00', NULL);
INSERT INTO public.enrollments VALUES ('c673b077-1c22-4091-ae01-a3a5a855653a', '94f5c69f-21db-4852-821b-0e2fcd38f3d7', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'enrolled', '2026-11-28 21:43:13.473234+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.enrollments VALUES ('e9cc358a-9248-44ca-b7cd-2429d387a64b', '23e14084-60b6-4d67-8377-a12dd45ac6f4', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'enrolled', '2026-11-28 21:43:13.514618+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.enrollments VALUES ('c1441b80-e28c-411d-8351-6eee48a4aa42', '70d386d6-bd59-4ad5-a721-a6a2691c2696', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'enrolled', '2026-11-28 21:43:13.53927+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.enrollments VALUES ('c4943b02-d71b-4049-b71c-ee4a00036670', '9c91e70a-92e6-4396-a7f4-7a83c7dd1ad0', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'enrolled', '2026-11-28 21:43:09.083455+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.enrollments VALUES ('27a7da1f-9925-4eef-b079-345fa0d23042', '26118f44-05b9-4ce7-babc-013accb06db6', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'enrolled', '2026-11-28 21:43:09.09779+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.enrollments VALUES ('b43a7c62-25e3-4a09-b460-e0eac85de15a', 'b7402556-0b38-4b09-80fe-868072d058f4', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'enrolled', '2026-11-28 21:43:09.104447+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.exercises VALUES ('00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000c1', 'Hello, world');
INSERT INTO public.exercises VALUES ('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-0000000000c1', 'Loops');
INSERT INTO public.exercises VALUES ('00000000-0000-4000-8000-0000000000e3', '00000000-0000-4000-8000-0000000000c2', 'Your first join');
INSERT INTO public.exercises VALUES ('1cc81c12-57d2-44a3-8b40-f4eadba76812', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'An exercise');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b1', 'trainer');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b2', 'student');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b3', 'student');
INSERT INTO public.org_members VALUES ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000b3', 'student');
INSERT INTO public.org_members VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', '9c91e70a-92e6-4396-a7f4-7a83c7dd1ad0', 'student');
INSERT INTO public.org_members VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', '26118f44-05b9-4ce7-babc-013accb06db6', 'student');
INSERT INTO public.org_members VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', 'b7402556-0b38-4b09-80fe-868072d058f4', 'student');
INSERT INTO public.org_members VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', '94f5c69f-21db-4852-821b-0e2fcd38f3d7', 'student');
INSERT INTO public.org_members VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', '23e14084-60b6-4d67-8377-a12dd45ac6f4', 'student');
INSERT INTO public.org_members VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', '70d386d6-bd59-4ad5-a721-a6a2691c2696', 'student');
INSERT INTO public.orgs VALUES ('00000000-0000-4000-8000-0000000000a1', 'Atelier Nord', 'atelier-nord', '2026-11-28 21:43:08.966048+00');
INSERT INTO public.orgs VALUES ('00000000-0000-4000-8000-0000000000a2', 'Campus Sud', 'campus-sud', '2026-11-28 21:43:08.966048+00');
INSERT INTO public.orgs VALUES ('c22990bd-98dd-46fc-ab27-88e95e29f151', 'Org-14470Bda71154F3Bbb5F024Bd24D5B93', 'org-14470bda71154f3bbb5f024bd24d5b93', '2026-11-28 21:43:09.06396+00');
INSERT INTO public.sessions VALUES ('47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0', 'c22990bd-98dd-46fc-ab27-88e95e29f151', 'f439cd2a-b2b9-46cf-aff2-a1a06caab878', 'A session', 'active', NULL, '2026-11-28 21:43:13.452184+00', NULL, NULL);
INSERT INTO public.submissions VALUES ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e1', 'print("Hello, world")', '2024-09-10 08:00:00+00', NULL);
INSERT INTO public.submissions VALUES ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000e2', 'for i in range(3): print(i)', '2024-09-11 08:00:00+00', NULL);
INSERT INTO public.submissions VALUES ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000e3', 'SELECT 1', '2024-09-12 08:00:00+00', NULL);
INSERT INTO public.submissions VALUES ('70560790-8f49-4f47-b56b-875986ad613c', '9c91e70a-92e6-4396-a7f4-7a83c7dd1ad0', '1cc81c12-57d2-44a3-8b40-f4eadba76812', NULL, '2026-11-28 21:43:09.094962+00', NULL);
INSERT INTO public.submissions VALUES ('a0448b0e-7cd8-4b27-8223-92c39af2a7f3', '26118f44-05b9-4ce7-babc-013accb06db6', '1cc81c12-57d2-44a3-8b40-f4eadba76812', NULL, '2026-11-28 21:43:09.100127+00', NULL);
INSERT INTO public.submissions VALUES ('2416947a-a299-40b0-88fa-bbd59d48dca7', 'b7402556-0b38-4b09-80fe-868072d058f4', '1cc81c12-57d2-44a3-8b40-f4eadba76812', NULL, '2026-11-28 21:43:09.10738+00', NULL);
INSERT INTO public.submissions VALUES ('6dac5583-573d-461a-8bf8-bdb1c75efc89', '94f5c69f-21db-4852-821b-0e2fcd38f3d7', '1cc81c12-57d2-44a3-8b40-f4eadba76812', NULL, '2026-11-28 21:43:13.497093+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.submissions VALUES ('a458526a-708e-4404-9665-f5e842e70898', '23e14084-60b6-4d67-8377-a12dd45ac6f4', '1cc81c12-57d2-44a3-8b40-f4eadba76812', NULL, '2026-11-28 21:43:13.524031+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.submissions VALUES ('dd4cfcee-d291-4c75-b5ab-7b39c3e51bb8', '70d386d6-bd59-4ad5-a721-a6a2691c2696', '1cc81c12-57d2-44a3-8b40-f4eadba76812', NULL, '2026-11-28 21:43:13.550095+00', '47b5f198-d4b2-4ad0-886d-4d7ac6ab8dd0');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b1', 'ada@example.org', 'Ada Moreau');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b2', 'bruno@example.org', 'Bruno Keller');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b3', 'chloe@example.org', 'Chloe Martin');
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-0000000000b4', 'dmitri@example.org', 'Dmitri Sokolov');
INSERT INTO public.users VALUES ('9c91e70a-92e6-4396-a7f4-7a83c7dd1ad0', 'old-03c7be98-8df4-4bd8-b706-087f5705c1ec@example.org', NULL);
INSERT INTO public.users VALUES ('26118f44-05b9-4ce7-babc-013accb06db6', 'old-d98b69af-31a5-4c41-b915-6a1311064ef9@example.org', NULL);
INSERT INTO public.users VALUES ('b7402556-0b38-4b09-80fe-868072d058f4', 'old-fa44c42f-0dc6-4855-acba-b3bdee030f61@example.org', NULL);
INSERT INTO public.users VALUES ('94f5c69f-21db-4852-821b-0e2fcd38f3d7', 'linked-ce34a999-c581-43da-a8b3-0829505b535e@example.org', NULL);
INSERT INTO public.users VALUES ('23e14084-60b6-4d67-8377-a12dd45ac6f4', 'linked-fdfe0814-2a64-4208-869b-1aa04129e561@example.org', NULL);
INSERT INTO public.users VALUES ('70d386d6-bd59-4ad5-a721-a6a2691c2696', 'linked-e37d9fa5-6f60-4b8a-b093-d3874b8db3a9@example.org', NULL);
INSERT INTO sessiondb._yoyo_log VALUES ('8c0704d5-1b75-4fa4-b574-19101c113dc9', '6faef72ccfe29a9ca80d4002a238f5fcbaa3f937c2e2f703c65214647621eef4', '0001.create-bookkeeping', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:11.503835');
INSERT INTO sessiondb._yoyo_log VALUES ('9f0dd30f-5ec8-4d56-b098-1763c6384709', 'e499b2caee4a2f976d18de7f47a67f8f34ad62580c78d759cce51862daaae181', '0002.add-enrollments-session_id', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:11.598998');
INSERT INTO sessiondb._yoyo_log VALUES ('b57c057a-eb8c-47bb-bada-95e9ccc55dcf', '615d768e37cc1f89dacd71c8f70a8cb9172d1a959040428352b05a74ad2ae238', '0003.add-submissions-session_id', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:11.683542');
INSERT INTO sessiondb._yoyo_log VALUES ('9dc79d53-07aa-4c7b-83fb-03c3b23a481c', '05bd01dc0f8bf848360904f0c2a9a0d8612ff71570137af6e7b5e19b86981231', '0004.add-foreign-keys', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:11.775247');
INSERT INTO sessiondb._yoyo_log VALUES ('9a2a9e2d-4df2-4888-9ead-76ad726ac4bd', 'f7e0954fc42016192858d1dbf77d81a222af501267065ecbe2c149f158c27f91', '0005.create-indexes', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:11.943221');
INSERT INTO sessiondb._yoyo_log VALUES ('d622a9b6-8884-477e-ba97-b5a1cd885b1c', '336807bbacc3757732146efe855e3edac1637437d93b931dca18121fce3c67da', '0006.restore-links', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:11.998591');
INSERT INTO sessiondb._yoyo_log VALUES ('45818a4d-0bf8-4800-b60d-50e21153d63f', '9da6eaf7b093698f24a46d4da8fbc039e048db81eb4c792feb1be45b7d55b731', '0007.link-enrollments', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:12.181431');
INSERT INTO sessiondb._yoyo_log VALUES ('35ae629a-3197-4304-bd93-85660b688f83', '4aa8b5c56dbabe42e45f28017975abd10f1783963e83f833e0088d0b4459200d', '0008.link-submissions', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:12.312038');
INSERT INTO sessiondb._yoyo_log VALUES ('59cb9ce6-2dd0-4d1d-a594-74fcb8904a4a', '3f6f327cc779d77fc9acfb93ea74815edb37f6813e1f6d36fecf838d9eb508ca', '0009.create-backfill_progress', 'apply', 'postgres', 'local', NULL, '2026-11-28 21:43:12.739359');
INSERT INTO sessiondb._yoyo_migration VALUES ('6faef72ccfe29a9ca80d4002a238f5fcbaa3f937c2e2f703c65214647621eef4', '0001.create-bookkeeping', '2026-11-28 21:43:11.506651');
INSERT INTO sessiondb._yoyo_migration VALUES ('e499b2caee4a2f976d18de7f47a67f8f34ad62580c78d759cce51862daaae181', '0002.add-enrollments-session_id', '2026-11-28 21:43:11.59972');
INSERT INTO sessiondb._yoyo_migration VALUES ('615d768e37cc1f89dacd71c8f70a8cb9172d1a959040428352b05a74ad2ae238', '0003.add-submissions-session_id', '2026-11-28 21:43:11.683783');
INSERT INTO sessiondb._yoyo_migration VALUES ('05bd01dc0f8bf848360904f0c2a9a0d8612ff71570137af6e7b5e19b86981231', '0004.add-foreign-keys', '2026-11-28 21:43:11.775451');
INSERT INTO sessiondb._yoyo_migration VALUES ('f7e0954fc42016192858d1dbf77d81a222af501267065ecbe2c149f158c27f91', '0005.create-indexes', '2026-11-28 21:43:11.943559');
INSERT INTO sessiondb._yoyo_migration VALUES ('336807bbacc3757732146efe855e3edac1637437d93b931dca18121fce3c67da', '0006.restore-links', '2026-11-28 21:43:11.998844');
INSERT INTO sessiondb._yoyo_migration VALUES ('9da6eaf7b093698f24a46d4da8fbc039e048db81eb4c792feb1be45b7d55b731', '0007.link-enrollments', '2026-11-28 21:43:12.184557');
INSERT INTO sessiondb._yoyo_migration VALUES ('4aa8b5c56dbabe42e45f28017975abd10f1783963e83f833e0088d0b4459200d', '0008.link-submissions', '2026-11-28 21:43:12.313807');
INSERT INTO sessiondb._yoyo_migration VALUES ('3f6f327cc779d77fc9acfb93ea74815edb37f6813e1f6d36fecf838d9eb508ca', '0009.create-backfill_progress', '2026-11-28 21:43:12.739665');
INSERT INTO sessiondb._yoyo_version VALUES (1, '2026-11-28 21:43:11.191177');
INSERT INTO sessiondb._yoyo_version VALUES (2, '2026-11-28 21:43:11.191177');
INSERT INTO sessiondb.backfill_progress VALUES (2, 'submissions', 'public.submissions', 16493, NULL, false, NULL, 0, 0, 0, '{}', '2026-11-28 21:43:15.538559+00', NULL);
INSERT INTO sessiondb.backfill_progress VALUES (1, 'enrollments', 'public.enrollments', 16471, NULL, false, '{"block": 1}', 6, 3, 0, '{"no_membership": 1, "no_session_for_course": 2}', '2026-11-28 21:43:15.538559+00', NULL);
INSERT INTO sessiondb.installation VALUES (true, 'public', '"public", pg_temp', '0.1.0', 'exercise_id.course_id', '{"(SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) ",.exercise_id)::pg_catalog.uuid}', '[{"to": "public.exercises", "from": "public.submissions", "keys": ["id"], "columns": ["exercise_id"], "operators": ["OPERATOR(pg_catalog.=)"]}, {"to": "public.courses", "from": "public.exercises", "keys": ["id"], "columns": ["course_id"], "operators": ["OPERATOR(pg_catalog.=)"]}]');
INSERT INTO sessiondb.migration_content VALUES ('0001.create-bookkeeping', '2b9b6ed5d031fce224ec9ba57f21a36fc88cfb8998855381d050c586838c2e7b');
INSERT INTO sessiondb.migration_content VALUES ('0002.add-enrollments-session_id', '317590a6cbae74c65323e200a8b180e2d26782f0ccf0a8fc09e1dbb14734ea2a');
INSERT INTO sessiondb.migration_content VALUES ('0003.add-submissions-session_id', '448253ad1a177bcf502abfac0c082c75b3ca6adfc9ba721ea1a6a4c50ac2bf08');
INSERT INTO sessiondb.migration_content VALUES ('0004.add-foreign-keys', 'e960e7ec5917591759c286466609f365476a223533e47f24c1bc0afef18f7dfe');
INSERT INTO sessiondb.migration_content VALUES ('0005.create-indexes', '6d9a454d1cd78614e6578e0093eb3db96a430e81282ed9b8548ee3046d5984a6');
INSERT INTO sessiondb.migration_content VALUES ('0006.restore-links', '7e635c6711ebea998a33b401f607f8c346efaf1d0c1f2abcc758a60f52d60d0d');
INSERT INTO sessiondb.migration_content VALUES ('0007.link-enrollments', 'c3d852f7c13456137d33878c8bdf4e57c635abffa55f610eb2ce86d68b9cf3e5');
INSERT INTO sessiondb.migration_content VALUES ('0008.link-submissions', '199bbdaa962ae0e71de3dbbf7deba53f19e9e466887a43ddef39c1da896c2983');
INSERT INTO sessiondb.migration_content VALUES ('0009.create-backfill_progress', '37401b0a46737a45cf73d2663aafd709479a7169c843c30280eeff31913f9599');
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'install', 'text, text, name, text, text, text, text, boolean, text', '0001', 'created', '1942d35749300fa4ecfbb575ca147d2a3e79ddcc08e104ea43c4e3b1b1fe77f9', '{"set": false, "body": "\n/*\n * Creates or replaces a function or trigger from its source, and records it. Of a function PUBLIC may not make use,\n * unless p_public. A trigger that is so already is left alone, for its lock; one that was disabled stays so, though\n * CREATE OR REPLACE TRIGGER enables it.\n *\n * p_parent is the table of a trigger, the schema of a function (\"platform\" is the platform''s). p_where: only where\n * session_id of the table is ours (\"created\") or was there before us (\"found\"); the platform''s own triggers may write\n * it then, and are not checked before they are taken over.\n *\n * check_function_bodies is off: functions may name each other, in whatever order they come.\n *\n * Lock: SHARE ROW EXCLUSIVE on the table of a trigger, where that is made or replaced.\n */\nDECLARE\n    v_source text := sessiondb.compile(p_source);\n    v_sha256 text := encode(sha256(convert_to(v_source, ''UTF8'')), ''hex'');\n    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);\n    v_object text;\n    v_enabled \"char\";\nBEGIN\n    IF p_where IS NOT NULL AND NOT EXISTS (\n        SELECT FROM sessiondb.objects AS o\n         WHERE o.kind = ''column'' AND o.parent = p_parent AND o.name = ''session_id'' AND o.origin = p_where)\n    THEN\n        RETURN;\n    END IF;\n    IF p_kind = ''trigger'' AND EXISTS (\n        SELECT FROM sessiondb.objects AS o\n          JOIN (\nWITH wanted (kind, parent, name, arguments) AS (\nSELECT p_kind, p_parent, p_name::text, p_arguments\n),\nplatform AS (\n    SELECT c.oid, c.relname\n      FROM pg_class AS c\n      JOIN pg_namespace AS n ON n.oid = c.relnamespace\n     WHERE n.nspname = current_setting(''sessiondb.schema'')\n       AND c.relkind IN (''r'', ''p'')\n)\nSELECT w.kind, w.parent, w.name, f.facts, coalesce(f.comment LIKE ''%(sessiondb)'', false) AS is_ours\n  FROM wanted AS w\n CROSS JOIN LATERAL (\n        SELECT jsonb_build_object(''columns'', (\n                   SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))\n                     FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS facts,\n               NULL AS comment\n          FROM pg_class AS c\n         WHERE w.kind = ''table'' AND c.relname = w.name AND c.relkind = ''r''\n           AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = ''sessiondb'')\n        UNION ALL\n        SELECT jsonb_build_object(''type'', t.typname, ''not null'', a.attnotnull, ''default'', a.atthasdef),\n               col_description(c.oid, a.attnum)\n          FROM platform AS c\n          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped\n          JOIN pg_type AS t ON t.oid = a.atttypid\n         WHERE w.kind = ''column'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''type'', k.contype, ''refers to'', r.relname, ''on delete'', k.confdeltype, ''validated'', k.convalidated,\n                   ''columns'', (SELECT array_agg(a.attname ORDER BY u.place)\n                                 FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)\n                                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.attnum)),\n               obj_description(k.oid, ''pg_constraint'')\n          FROM platform AS c\n          JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = w.name\n          LEFT JOIN pg_class AS r ON r.oid = k.confrelid\n         WHERE w.kind = ''constraint'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''valid'', d.indisvalid, ''unique'', d.indisunique,\n                   ''columns'', (SELECT array_agg(pg_get_indexdef(d.indexrelid, u.place::integer, true) || ''/'' || u.options ORDER BY u.place)\n                                 FROM unnest(d.indoption) WITH ORDINALITY AS u (options, place)),\n                   ''where'', regexp_replace(pg_get_expr(d.indpred, d.indrelid), ''::(\"[^\"]*\"|[a-z_. ])+|[() ]'', '''', ''g'')),\n               obj_description(x.oid, ''pg_class'')\n          FROM platform AS c\n          JOIN pg_index AS d ON d.indrelid = c.oid\n          JOIN pg_class AS x ON x.oid = d.indexrelid AND x.relname = w.name\n         WHERE w.kind = ''index'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''type'', t.tgtype, ''function'', n.nspname || ''.'' || p.proname, ''arguments'', encode(t.tgargs, ''escape''),\n                   ''columns'', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a\n                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),\n                   ''when'', substring(pg_get_triggerdef(t.oid, true), ''WHEN \\((.*)\\) EXECUTE FUNCTION'')),\n               obj_description(t.oid, ''pg_trigger'')\n          FROM platform AS c\n          JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = w.name AND NOT t.tgisinternal\n          JOIN pg_proc AS p ON p.oid = t.tgfoid\n          JOIN pg_namespace AS n ON n.oid = p.pronamespace\n         WHERE w.kind = ''trigger'' AND c.relname = w.parent\n        UNION ALL\n        SELECT jsonb_build_object(\n                   ''body'', p.prosrc, ''settings'', p.proconfig, ''security definer'', p.prosecdef, ''volatility'', p.provolatile,\n                   ''parallel'', p.proparallel, ''strict'', p.proisstrict, ''language'', l.lanname, ''kind'', p.prokind,\n                   ''names'', p.proargnames, ''result'', t.typname, ''set'', p.proretset,\n                   ''types'', (SELECT array_agg(a.typname ORDER BY u.place)\n                               FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)\n                               JOIN pg_type AS a ON a.oid = u.type),\n                   ''defaults'', pg_get_expr(p.proargdefaults, 0)),\n               obj_description(p.oid, ''pg_proc'')\n          FROM pg_proc AS p\n          JOIN pg_language AS l ON l.oid = p.prolang\n          JOIN pg_type AS t ON t.oid = p.prorettype\n          JOIN pg_namespace AS n ON n.oid = p.pronamespace\n         WHERE w.kind = ''function'' AND p.proname = w.name\n           AND oidvectortypes(p.proargtypes) = w.arguments\n           AND n.nspname = CASE w.parent WHEN ''platform'' THEN current_setting(''sessiondb.schema'') ELSE w.parent END\n       ) AS f\n               ) AS f ON f.facts @> o.facts\n         WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name\n           AND o.migration = p_migration AND o.sha256 = v_sha256)\n    THEN\n        RETURN;\n    END IF;\n    IF p_kind = ''trigger'' THEN\n        v_object := format(''%I.%I'', v_schema, p_parent);\n        CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', v_object);\n        v_enabled := (SELECT t.tgenabled FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(v_object) AND t.tgname = p_name);\n        CALL sessiondb.run_on_platform(v_source);\n        IF v_enabled <> ''O'' THEN\n            CALL sessiondb.run_on_platform(format(''ALTER TABLE %s %s TRIGGER %I'', v_object,\n                CASE v_enabled WHEN ''D'' THEN ''DISABLE'' WHEN ''R'' THEN ''ENABLE REPLICA'' ELSE ''ENABLE ALWAYS'' END, p_name));\n        END IF;\n        v_object := format(''TRIGGER %I ON %s'', p_name, v_object);\n    ELSE\n        v_object := format(''%I.%I(%s)'', CASE p_parent WHEN ''platform'' THEN v_schema ELSE p_parent END, p_name, p_arguments);\n        CALL sessiondb.run_on_platform(v_source);\n        -- what another role makes here in this very moment is replaced, and stays that role''s\n        IF to_regprocedure(v_object) IN (SELECT p.oid FROM pg_proc AS p WHERE p.proowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user))\n            AND NOT EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name AND o.facts IS NOT NULL)\n        THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''object_in_use'',\n                MESSAGE = format(''another role makes a function %s at the same time'', v_object),\n                HINT = ''Drop that function, then run sessiondb apply again.'';\n        END IF;\n        v_object := format(''ROUTINE %s'', v_object);\n        IF NOT p_public THEN\n            CALL sessiondb.run_on_platform(format(''REVOKE ALL ON %s FROM PUBLIC'', v_object));\n        END IF;\n    END IF;\n    CALL sessiondb.run_on_platform(format(''COMMENT ON %s IS %L'', v_object, p_comment));\n    INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, sha256)\n    VALUES (p_kind, p_parent, p_name, p_arguments, p_migration, ''created'', v_sha256)\n    ON CONFLICT (kind, parent, name) DO UPDATE SET migration = EXCLUDED.migration, sha256 = EXCLUDED.sha256, facts = NULL;\nEND\n", "kind": "p", "names": ["p_kind", "p_parent", "p_name", "p_arguments", "p_migration", "p_source", "p_comment", "p_public", "p_where"], "types": ["text", "text", "name", "text", "text", "text", "text", "bool", "text"], "result": "void", "strict": false, "defaults": "false, NULL::text", "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp", "check_function_bodies=off"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'lock_tables', 'text, regclass[]', '0001', 'created', '707f644f77be269e16f6be7380edf80b9e83297031ca178d7d634309dc9e0500', '{"set": false, "body": "\n/*\n * Locks each of the tables, and its partitions, for what comes next in the transaction, so that nobody\n * else is ever cancelled for our sake. A lock that is not to be had in time is an error that says who is in the way.\n *\n * The first table is waited for as long as lock_timeout says. Everybody queues behind us there, and one of those may\n * have what we want next: a deadlock, which the server finds deadlock_timeout after he began to wait, and ends by\n * cancelling him. So the other locks are waited for 100 ms at most, and only until nobody can have stood behind us for\n * that long.\n *\n * Whoever builds an index concurrently waits in the end for all older snapshots, ours among them. While there is one,\n * we do not even begin to wait: he would be the one to be cancelled.\n */\nDECLARE\n    v_began timestamptz := clock_timestamp();\n    v_table regclass;\n    v_builders integer[];\nBEGIN\n    FOR v_table IN\n        WITH RECURSIVE tree AS (\n            SELECT t.relid, ARRAY[t.place] AS place\n              FROM unnest(p_tables) WITH ORDINALITY AS t (relid, place)\n             UNION ALL\n            SELECT i.inhrelid, t.place || i.inhrelid::bigint\n              FROM tree AS t\n              JOIN pg_inherits AS i ON i.inhparent = t.relid\n        )\n        SELECT t.relid\n          FROM tree AS t\n          JOIN pg_class AS c ON c.oid = t.relid AND c.relkind IN (''r'', ''p'')\n         ORDER BY cardinality(t.place), t.place\n    LOOP\n        v_builders := ARRAY(\n            SELECT b.pid\n              FROM pg_stat_progress_create_index AS b\n              JOIN pg_locks AS l ON l.pid = b.pid AND l.relation = v_table AND l.granted\n             -- another database that was copied from the same one may have a table with this oid\n             WHERE b.datname = current_database() AND l.mode = ''ShareUpdateExclusiveLock'' AND b.pid <> pg_backend_pid());\n        IF v_builders <> ''{}'' THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''lock_not_available'',\n                MESSAGE = format(''an index is being built on table %s'', v_table),\n                DETAIL = ''In the way: '' || (SELECT string_agg(w.description, ''; '' ORDER BY w.pid)\n  FROM (\n        SELECT a.pid,\n               -- of another role only those who may read all statistics see more than pid, role and application\n               format(\n                   ''pid %s (%s): %s'',\n                   a.pid,\n                   concat_ws('', '',\n                       coalesce(nullif(a.application_name, ''''), ''no application name''), ''role '' || a.usename::text, a.state,\n                       ''in a transaction for '' || date_trunc(''second'', clock_timestamp() - a.xact_start)::text),\n                   -- and of a password nothing\n                   left(regexp_replace(regexp_replace(a.query, ''\\s+'', '' '', ''g''), ''(password|passwd|pwd|secret|://).*'', ''\\1 ...'', ''i''), 80)) AS description\n          FROM pg_stat_activity AS a\n         WHERE a.pid = ANY (v_builders)\n         UNION ALL\n        SELECT 0, format(''prepared transaction %L of role %s, prepared %s'', x.gid, x.owner, x.prepared)\n          FROM pg_prepared_xacts AS x\n         WHERE 0 = ANY (v_builders)\n       ) AS w),\n                HINT = ''Run it again when that is done.'';\n        END IF;\n        BEGIN\n            EXECUTE format(''LOCK TABLE ONLY %s IN %s MODE'', v_table, p_mode);\n        EXCEPTION WHEN lock_not_available THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''lock_not_available'',\n                MESSAGE = format(''%s: %s on table %s'', SQLERRM, p_mode, v_table),\n                DETAIL = ''In the way: '' || coalesce(\n                    (SELECT (SELECT string_agg(w.description, ''; '' ORDER BY w.pid)\n  FROM (\n        SELECT a.pid,\n               -- of another role only those who may read all statistics see more than pid, role and application\n               format(\n                   ''pid %s (%s): %s'',\n                   a.pid,\n                   concat_ws('', '',\n                       coalesce(nullif(a.application_name, ''''), ''no application name''), ''role '' || a.usename::text, a.state,\n                       ''in a transaction for '' || date_trunc(''second'', clock_timestamp() - a.xact_start)::text),\n                   -- and of a password nothing\n                   left(regexp_replace(regexp_replace(a.query, ''\\s+'', '' '', ''g''), ''(password|passwd|pwd|secret|://).*'', ''\\1 ...'', ''i''), 80)) AS description\n          FROM pg_stat_activity AS a\n         WHERE a.pid = ANY (h.pids)\n         UNION ALL\n        SELECT 0, format(''prepared transaction %L of role %s, prepared %s'', x.gid, x.owner, x.prepared)\n          FROM pg_prepared_xacts AS x\n         WHERE 0 = ANY (h.pids)\n       ) AS w) FROM (SELECT ARRAY(\n                        SELECT coalesce(l.pid, 0)\n                          FROM pg_locks AS l\n                         WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())\n                           AND l.relation = v_table\n                           AND l.granted\n                           AND l.pid IS DISTINCT FROM pg_backend_pid()\n                           AND l.mode <> ALL (CASE p_mode\n                                   WHEN ''ACCESS EXCLUSIVE'' THEN ''{}''\n                                   WHEN ''SHARE ROW EXCLUSIVE'' THEN ''{AccessShareLock, RowShareLock}''\n                                   ELSE ''{AccessShareLock, RowShareLock, RowExclusiveLock}''\n                               END::text[])) AS pids) AS h),\n                    ''unknown, it has just ended''),\n                HINT = ''Run it again when what is in the way has ended.'';\n        END;\n        PERFORM set_config(\n            ''lock_timeout'',\n            format(''%sms'', greatest(1, least(100, (EXTRACT(epoch FROM\n                0.9 * current_setting(''deadlock_timeout'')::interval - (clock_timestamp() - v_began)) * 1000)::integer))),\n            true);\n    END LOOP;\nEND\n", "kind": "p", "names": ["p_mode", "p_tables"], "types": ["text", "_regclass"], "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'run_on_platform', 'text', '0001', 'created', '07d200b73dbd7cc8eb0167e24f62ba4d41f189f5f4afefe72bd00ebf0d4be566', '{"set": false, "body": "\n/*\n * Runs a statement under the search_path that the connection began with, for the event triggers of the platform, and\n * whatever else of its own the statement makes run. To be called where the path is pinned, which it is afterwards.\n *\n * Between the two settings stands nothing but the statement: an expression there would be looked up in the platform''s\n * schemas.\n */\nBEGIN\n    SET LOCAL search_path TO DEFAULT;\n    EXECUTE p_statement;\n    SET LOCAL search_path TO pg_catalog, pg_temp;\nEND\n", "kind": "p", "names": ["p_statement"], "types": ["text"], "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'compile', 'text', '0001', 'created', '21d31f3e9a6fb789cc2055ccce229c49fe2714229d815c8d408699c6b6b50093', '{"set": false, "body": "\n/*\n * The source of a function or trigger of ours as it is created on this platform: the qualifier \"platform\" becomes the\n * platform''s schema, course_of(...) the expression that leads from that row of submissions to its course, and SET\n * search_path FROM the CURRENT one the path that the connection of apply began with, pg_temp last. So the sources read\n * the same for every platform, and yet hold static SQL: nothing is looked up per row. (This text is compiled, too, so\n * that it does not spell out what it replaces.)\n *\n * The tags of dollar quoting are made longer where a name of the platform holds one of them.\n */\nDECLARE\n    v_at record;\n    v_row text;\n    v_names text;\n    v_tag text;\nBEGIN\n    SELECT i.*, CASE i.platform_schema WHEN ''public'' THEN ''public'' ELSE format(''\"%s\"'', replace(i.platform_schema, ''\"'', ''\"\"'')) END AS schema_name\n      INTO v_at FROM sessiondb.installation AS i;\n    p_source := btrim(p_source, E''\\n'');\n    v_names := concat(v_at.schema_name, v_at.search_path, array_to_string(v_at.course_pieces, '' ''));\n    FOREACH v_tag IN ARRAY ARRAY[''function'', ''procedure''] LOOP\n        IF strpos(v_names, format(''$%s$'', v_tag)) > 0 THEN\n            p_source := replace(p_source, format(''$%s$'', v_tag), format(''$%s_%s$'', v_tag, md5(v_names)));\n        END IF;\n    END LOOP;\n    p_source := array_to_string(regexp_split_to_array(p_source, ''\\mplatform\\.(?=[[:alpha:]_\"])''), v_at.schema_name || ''.'');\n    FOR v_row IN SELECT DISTINCT m.groups[1] FROM regexp_matches(p_source, ''course_of\\((\\w+)\\)'', ''g'') AS m (groups) LOOP\n        IF v_at.course_pieces IS NULL THEN\n            RAISE EXCEPTION USING\n                ERRCODE = ''object_not_in_prerequisite_state'',\n                MESSAGE = ''the way from a submission to its course is not chosen yet'',\n                HINT = ''Run sessiondb apply.'';\n        END IF;\n        p_source := replace(p_source, format(''course_of(%s)'', v_row), array_to_string(v_at.course_pieces, v_row));\n    END LOOP;\n    RETURN replace(p_source, ''SET search_path FROM '' || ''CURRENT'', format(''SET search_path = %s'', v_at.search_path));\nEND\n", "kind": "f", "names": ["p_source"], "types": ["text"], "result": "text", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'withdraw_default_grants', '', '0001', 'created', '2d129dce1e569c35ef5f440a144005762c9122086baca1efd106e593a5aa1d45', '{"set": false, "body": "\n/*\n * Takes back what default privileges of the platform (ALTER DEFAULT PRIVILEGES without IN SCHEMA) gave to other roles\n * on what was made in schema sessiondb: there are backends that grant everything to the roles of their API that way.\n * What was granted by hand to other roles than those stays.\n */\nDECLARE\n    v_revoke text;\nBEGIN\n    FOR v_revoke IN\n        WITH object (type, owner, acl, name) AS (\n            SELECT ''n'', n.nspowner, n.nspacl, format(''SCHEMA %I'', n.nspname)\n              FROM pg_namespace AS n\n             WHERE n.nspname = ''sessiondb''\n            UNION ALL\n            SELECT ''r'', c.relowner, c.relacl, format(''TABLE %s'', c.oid::regclass)\n              FROM pg_class AS c\n             WHERE c.relnamespace = to_regnamespace(''sessiondb'') AND c.relkind IN (''r'', ''v'')\n            UNION ALL\n            SELECT ''f'', p.proowner, p.proacl, format(''ROUTINE %s'', p.oid::regprocedure)\n              FROM pg_proc AS p\n             WHERE p.pronamespace = to_regnamespace(''sessiondb'')\n        )\n        SELECT DISTINCT format(''REVOKE ALL ON %s FROM %s'', o.name,\n                               CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)\n          FROM object AS o\n          JOIN pg_default_acl AS d ON d.defaclrole = o.owner AND d.defaclobjtype = o.type AND d.defaclnamespace = 0\n         CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g\n         CROSS JOIN LATERAL aclexplode(o.acl) AS a\n         WHERE a.grantee = g.grantee\n           AND a.grantee <> o.owner\n           -- which functions are for everybody is said where they are made\n           AND NOT (o.type = ''f'' AND a.grantee = 0)\n         ORDER BY 1\n    LOOP\n        CALL sessiondb.run_on_platform(v_revoke);\n        RAISE NOTICE ''default privileges of the platform withdrawn: %'', v_revoke;\n    END LOOP;\nEND\n", "kind": "p", "names": null, "types": null, "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'course_expression', 'text', '0001', 'created', 'e8e6a05f82e9c8cdc93d6670b4074c349bdeb06468e42cfd661e4af1ba43a2e8', '{"set": false, "body": "\n/*\n * The SQL expression of the course of a row of submissions, for SQL that is put together; p_row is what the row is\n * called there. In a source, course_of() of a row is the same, put in by compile().\n */\nSELECT array_to_string(i.course_pieces, p_row)\n  FROM sessiondb.installation AS i\n", "kind": "f", "names": ["p_row"], "types": ["text"], "result": "text", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('index', 'org_members', 'org_members_user_id_org_id_idx', '', '0005', 'created', NULL, '{"valid": true, "where": null, "unique": false, "columns": ["user_id/0", "org_id/0"]}', NULL);
INSERT INTO sessiondb.objects VALUES ('index', 'submissions', 'submissions_session_id_idx', '', '0005', 'created', NULL, '{"valid": true, "where": "session_idISNOTNULL", "unique": false, "columns": ["session_id/0"]}', NULL);
INSERT INTO sessiondb.objects VALUES ('index', 'sessions', 'sessions_active_org_id_course_id_idx', '', '0005', 'created', NULL, '{"valid": true, "where": "status=''active''", "unique": false, "columns": ["org_id/0", "course_id/0", "created_at/1", "id/3"]}', NULL);
INSERT INTO sessiondb.objects VALUES ('index', 'enrollments', 'enrollments_session_id_idx', '', '0005', 'created', NULL, '{"valid": true, "where": "session_idISNOTNULL", "unique": false, "columns": ["session_id/0"]}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'enrollments', 'own_link', '', '0007', 'replaced', NULL, NULL, 'CREATE TRIGGER own_link BEFORE INSERT ON public.enrollments FOR EACH ROW EXECUTE FUNCTION public.own_link()');
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'save_link', '', '0001', 'created', 'dd737fe6c411bd16becb848234488463ca894d1988d7b417bc6f326e39e65a6c', '{"set": false, "body": "\n/*\n * AFTER INSERT or UPDATE, only while a rollback is under way: keeps the row''s link beside those that were\n * saved in bulk, so that none is lost up to the moment the column goes. The trigger''s argument is enrollments or\n * submissions; sessiondb.prepare_saved_links() made the table whose key the row is saved by. The dynamic SQL is paid\n * during a rollback only.\n *\n * SECURITY DEFINER: whoever writes to the table has no rights in schema sessiondb. Nothing but the two tables of the\n * platform is taken, and no SQL from a trigger''s argument: whoever could call this function could put it on a table of\n * his own.\n */\nDECLARE\n    v_saved regclass := format(''sessiondb.%I'', ''saved_links_of_'' || TG_ARGV[0]);\n    v_columns text[] := ARRAY(\n        SELECT quote_ident(a.attname) FROM pg_attribute AS a\n         WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ''session_id''\n         ORDER BY a.attnum);\nBEGIN\n    IF coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) IS DISTINCT FROM (\n            SELECT to_regclass(format(''%I.%I'', i.platform_schema, TG_ARGV[0]))::oid FROM sessiondb.installation AS i)\n    THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''object_not_in_prerequisite_state'',\n            MESSAGE = format(''trigger %I is on a table that sessiondb saves no links of'', TG_NAME),\n            HINT = ''Drop that trigger.'';\n    END IF;\n    EXECUTE format(''INSERT INTO %s (%s, session_id) VALUES (($1).%s, ($1).session_id) ''\n                   ''ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s, session_id) = ROW (EXCLUDED.%s, EXCLUDED.session_id)'',\n                   v_saved, array_to_string(v_columns, '', ''), array_to_string(v_columns, '', ($1).''),\n                   ''saved_links_of_'' || TG_ARGV[0] || ''_pkey'', array_to_string(v_columns, '', ''),\n                   array_to_string(v_columns, '', EXCLUDED.''))\n      USING NEW;\n    RETURN NULL;\nEND\n", "kind": "f", "names": null, "types": null, "result": "trigger", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('column', 'enrollments', 'session_id', '', '0002', 'found', NULL, '{"type": "uuid", "default": false, "not null": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'is_saved_link', 'text, jsonb', '0002', 'created', '6693de6a74bb4fe3b3f8838b296bcb0955794346562a3674745d583cbee08bf4', '{"set": false, "body": "\n/*\n * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it\n * as it was, though a membership may have ended since. The row is found by its key; only then is there such a table at\n * all.\n */\nDECLARE\n    v_saved regclass := to_regclass(''sessiondb.saved_links_of_'' || p_table);\n    v_found boolean;\nBEGIN\n    IF v_saved IS NULL THEN\n        RETURN false;\n    END IF;\n    EXECUTE (\n        SELECT format(''SELECT EXISTS (SELECT FROM %s AS s WHERE %s)'', v_saved,\n                      string_agg(format(''s.%I = (jsonb_populate_record(NULL::%s, $1)).%I'', a.attname, v_saved, a.attname), '' AND ''))\n          FROM pg_attribute AS a\n          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = ''p''\n         WHERE a.attrelid = v_saved\n           AND (a.attnum = ANY (k.conkey) OR a.attname = ''session_id''))\n       INTO v_found\n      USING p_row;\n    RETURN v_found;\nEND\n", "kind": "f", "names": ["p_table", "p_row"], "types": ["text", "jsonb"], "result": "bool", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'check_session', '', '0002', 'created', 'f5584dbcbace96fdb2a2d2f9c8043dfcd80342ff65450f6c789a6232a0f1656a', '{"set": false, "body": "\n/*\n * BEFORE INSERT or UPDATE on enrollments or submissions, only where the client gave a session: it must be of the row''s\n * course, and the row''s user a member of its organisation. Otherwise students could place themselves in the dashboard\n * of another organisation. The status does not matter: staff may place someone by hand in a session that has not begun\n * or is over. A session that does not exist yet is refused, and not left to the foreign key, which looks at the end of\n * the statement or transaction, when someone may have created it in any organisation.\n *\n * The argument names the table, for which TG_TABLE_NAME may be a partition. PL/pgSQL plans only the branch that is\n * taken, so each branch may name columns that the other table does not have; course_of() is compiled as in\n * link_submission.\n *\n * One answer for all: those who may not read sessions and org_members must not learn by trying whether a session\n * exists, of which course it is, or to which course an exercise leads. SECURITY DEFINER: they need not be able to.\n */\nDECLARE\n    v_course_id pg_catalog.uuid;\nBEGIN\n    IF TG_ARGV[0] OPERATOR(pg_catalog.=) ''submissions'' THEN\n        v_course_id := (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) NEW.exercise_id)::pg_catalog.uuid;\n    ELSE\n        v_course_id := NEW.course_id;\n    END IF;\n    IF NOT EXISTS (\n        SELECT FROM (SELECT org_id AS of_org\n                       FROM public.sessions\n                      WHERE id OPERATOR(pg_catalog.=) NEW.session_id\n                        AND course_id OPERATOR(pg_catalog.=) v_course_id) AS given\n         WHERE EXISTS (SELECT\n                         FROM public.org_members\n                        WHERE org_id OPERATOR(pg_catalog.=) given.of_org\n                          AND user_id OPERATOR(pg_catalog.=) NEW.user_id))\n        -- an apply restores what a rollback saved, though a membership may have ended since\n        AND NOT sessiondb.is_saved_link(TG_ARGV[0], pg_catalog.to_jsonb(NEW))\n    THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''check_violation'',\n            MESSAGE = pg_catalog.format(''session %s does not fit this row of table \"%s\"'', NEW.session_id, TG_ARGV[0]),\n            DETAIL = ''There is no such session of the row''''s course in an organisation that the row''''s user is a member of.'',\n            HINT = ''Leave session_id out to have the right session found, or give a session of the same course ''\n                   ''in an organisation of the user.'',\n            SCHEMA = (SELECT i.platform_schema FROM sessiondb.installation AS i),\n            TABLE = TG_ARGV[0],\n            COLUMN = ''session_id'',\n            CONSTRAINT = TG_ARGV[0] OPERATOR(pg_catalog.||) ''_session_id_coherent'';\n    END IF;\n    RETURN NEW;\nEND\n", "kind": "f", "names": null, "types": null, "result": "trigger", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=public, pg_temp"], "volatility": "v", "security definer": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'submissions', 'zzz_sessiondb_check_submission', '', '0003', 'created', '15dae6f00c28b328519ca463e76a81b39ce14de6f761812a70ff7868cc9f15a4', '{"type": 7, "when": "new.session_id IS NOT NULL", "columns": null, "function": "sessiondb.check_session", "arguments": "submissions\\000"}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'submissions', 'zzz_sessiondb_check_submission_update', '', '0003', 'created', '08db2ee1163ba66a284970448d1849c7c012aace5956cc64582a75b07e613e18', '{"type": 19, "when": "new.session_id IS NOT NULL AND (old.session_id IS NULL OR new.session_id <> old.session_id)", "columns": ["session_id"], "function": "sessiondb.check_session", "arguments": "submissions\\000"}', NULL);
INSERT INTO sessiondb.objects VALUES ('column', 'submissions', 'session_id', '', '0003', 'created', NULL, '{"type": "uuid", "default": false, "not null": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('constraint', 'enrollments', 'enrollments_session_id_fkey', '', '0004', 'created', NULL, '{"type": "f", "columns": ["session_id"], "on delete": "n", "refers to": "sessions", "validated": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('constraint', 'submissions', 'submissions_session_id_fkey', '', '0004', 'created', NULL, '{"type": "f", "columns": ["session_id"], "on delete": "n", "refers to": "sessions", "validated": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('index', 'enrollments', 'enrollments_user_id_course_id_idx', '', '0005', 'created', NULL, NULL, NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'enrollments', 'zzz_sessiondb_link_enrollment', '', '0007', 'created', '6567c7bdd2776ccb5f1944ebb9a70d102d7f9e2f1474eefe288de231e59dfabe', '{"type": 7, "when": "new.session_id IS NULL", "columns": null, "function": "sessiondb.link_enrollment", "arguments": ""}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'enrollments', 'zzz_sessiondb_check_enrollment', '', '0007', 'created', '52ec81ce8b16777e73f5168847c3cd57cf8c5d1f52d0b4d6cde2fd3c78ef4a0b', '{"type": 7, "when": "new.session_id IS NOT NULL", "columns": null, "function": "sessiondb.check_session", "arguments": "enrollments\\000"}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'link_enrollment', '', '0007', 'created', 'a2428adcdabf8b0017cf698c3a301f846eac543f9b07c408067000a37a71f90c', '{"set": false, "body": "\n/*\n * BEFORE INSERT on enrollments, only where session_id is NULL: the session of the student in the course. None found\n * leaves NULL; an enrolment never fails for want of a session.\n *\n * SECURITY DEFINER: a student may enrol without the right to read org_members or sessions.\n */\nBEGIN\n    NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);\n    RETURN NEW;\nEND\n", "kind": "f", "names": null, "types": null, "result": "trigger", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=public, pg_temp"], "volatility": "v", "security definer": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'platform', 'get_user_session_for_course', 'uuid, uuid', '0007', 'created', 'bbca2bad46ea297fd5fb3ec388e6adbc4f50caa45d1bdce69fb433dcee2b4af2', '{"set": false, "body": "\n/*\n * The session of a user in a course, for the platform to ask: word for word sessiondb.find_session(), but for the lock.\n * Two of them, because an application has no way into schema sessiondb, and the triggers must not depend on what others\n * may make in the platform''s schema, where one more function of this name would do to make their call ambiguous.\n *\n * SECURITY INVOKER: a caller is told nothing that his own rights and row policies hide from him.\n */\nDECLARE\n    v_session_id pg_catalog.uuid;\nBEGIN\n    SELECT newest.id\n      INTO v_session_id\n      FROM (SELECT org_id AS of_org\n              FROM public.org_members\n             WHERE user_id OPERATOR(pg_catalog.=) p_user_id) AS member\n     CROSS JOIN LATERAL (\n            SELECT id, created_at\n              FROM public.sessions\n             WHERE org_id OPERATOR(pg_catalog.=) member.of_org\n               AND course_id OPERATOR(pg_catalog.=) p_course_id\n               AND status OPERATOR(pg_catalog.=) ''active''\n             ORDER BY created_at DESC NULLS LAST, id DESC\n             LIMIT 1\n           ) AS newest\n     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC\n     LIMIT 1;\n\n    RETURN v_session_id;\nEND\n", "kind": "f", "names": ["p_user_id", "p_course_id"], "types": ["uuid", "uuid"], "result": "uuid", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "s", "settings": ["search_path=public, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'enrollments', 'zzz_sessiondb_check_enrollment_update', '', '0007', 'created', '8c1d1c924b2d3ede1c05b68bc7bef9c5b09a30968ca730551db836bf73f3e923', '{"type": 19, "when": "new.session_id IS NOT NULL AND (old.session_id IS NULL OR new.session_id <> old.session_id)", "columns": ["session_id"], "function": "sessiondb.check_session", "arguments": "enrollments\\000"}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'find_session', 'uuid, uuid', '0007', 'created', 'd78161ac50ad9b7fe4a9930b1544eb040fec4e1f887b7346066039450ef6e040', '{"set": false, "body": "\n/*\n * The session of a user in a course, for the triggers: of the active sessions of the course in the organisations that\n * the user is a member of, the one with the newest created_at (unknown dates last), and of several such the one with\n * the greatest id. NULL when there is none.\n *\n * FOR KEY SHARE is the lock that the foreign key takes after the row is stored. Taken here, it makes us wait for who is\n * just deleting the session, and then go on to the next one: the row would be refused otherwise. Somebody else''s other\n * changes to the session wait for nothing, nor do we for them.\n *\n * One probe of the index per organisation, so that the number of sessions does not matter. SELECT INTO, because RETURN\n * (SELECT ...) would run the query as a part of another (docs/performance.md). OPERATOR(pg_catalog.=): status may be an\n * enum, and then a more exact \"=\" that someone made in the platform''s schema would be taken before the catalog''s.\n *\n * Columns stand without the name of their table: were one renamed, s.status would be a call of a function status(s),\n * whoever made it. So each of them is read in a query of one table.\n */\nDECLARE\n    v_session_id pg_catalog.uuid;\nBEGIN\n    SELECT newest.id\n      INTO v_session_id\n      FROM (SELECT org_id AS of_org\n              FROM public.org_members\n             WHERE user_id OPERATOR(pg_catalog.=) p_user_id) AS member\n     CROSS JOIN LATERAL (\n            SELECT id, created_at\n              FROM public.sessions\n             WHERE org_id OPERATOR(pg_catalog.=) member.of_org\n               AND course_id OPERATOR(pg_catalog.=) p_course_id\n               AND status OPERATOR(pg_catalog.=) ''active''\n             ORDER BY created_at DESC NULLS LAST, id DESC\n             LIMIT 1\n               FOR KEY SHARE\n           ) AS newest\n     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC\n     LIMIT 1;\n\n    RETURN v_session_id;\nEND\n", "kind": "f", "names": ["p_user_id", "p_course_id"], "types": ["uuid", "uuid"], "result": "uuid", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('trigger', 'submissions', 'zzz_sessiondb_link_submission', '', '0008', 'created', '673b0b7941171128f24696e47618e9cbc0c260a9502a3b0a0d0479811f683eb4', '{"type": 7, "when": "new.session_id IS NULL", "columns": null, "function": "sessiondb.link_submission", "arguments": ""}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'org_command', 'text, uuid, uuid', '0009', 'created', '3b8a5159147ca0a43a4055259ff27487416569340fe1d1fb088fd30a3645cb99', '{"set": false, "body": "\n/*\n * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a\n * session of a course in it (session, the course), by one of its members, no student if it has others. It names the\n * organisation by its slug, quoted for a shell; on a platform without slugs only SQL can do it.\n */\nWITH org AS (\n    SELECT i.platform_schema,\n           CASE WHEN f.slug ~ ''^[A-Za-z0-9._-]+$'' THEN f.slug ELSE '''''''' || replace(f.slug, '''''''', ''''''\\'''''''''') || '''''''' END AS slug\n      FROM sessiondb.installation AS i\n     CROSS JOIN LATERAL (\n            SELECT sessiondb.ask(format(''SELECT pg_catalog.to_jsonb(r.*) FROM %I.orgs AS r WHERE r.id OPERATOR(pg_catalog.=) %L'',\n                                        i.platform_schema, p_org_id)) ->> ''slug'' AS slug\n           ) AS f\n)\nSELECT CASE p_what\n           WHEN ''member'' THEN coalesce(\n               ''sessiondb member add --org '' || o.slug || '' --user '' || p_id,\n               format(''INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)'', o.platform_schema, p_org_id, p_id))\n           WHEN ''session'' THEN coalesce(\n               ''sessiondb session create --org '' || o.slug || '' --course '' || p_id || '' --by ''\n               || (sessiondb.ask(format(\n                      $by$\n                      SELECT pg_catalog.to_jsonb(m.user_id)\n                        FROM %I.org_members AS m\n                       WHERE m.org_id OPERATOR(pg_catalog.=) %L\n                       ORDER BY (pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) ''role''::pg_catalog.text) OPERATOR(pg_catalog.=) ''student'', m.user_id\n                       LIMIT 1\n                      $by$, o.platform_schema, p_org_id)) #>> ''{}''),\n               format(''INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)'', o.platform_schema, p_org_id, p_id, ''active''))\n       END\n  FROM org AS o\n", "kind": "f", "names": ["p_what", "p_org_id", "p_id"], "types": ["text", "uuid", "uuid"], "result": "text", "strict": true, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'link_submission', '', '0008', 'created', 'a9ac5c786069b4663f6da7d651a0d15543cd532a1d3f63c9df17b1ee163bbc0d', '{"set": false, "body": "\n/*\n * BEFORE INSERT on submissions, only where session_id is NULL: the session of the student''s enrolment in the course\n * while it is still eligible (so that a student of the autumn group stays in it when a winter group opens), else his\n * session in the course as for an enrolment. None found leaves NULL; a submission never fails for want of a session.\n *\n * FOR KEY SHARE and the names of columns as in find_session(). LIMIT 1 in the inner query keeps the planner from joining the other way round,\n * and so from reading all active sessions of the course in the student''s organisations.\n *\n * In the source course_of() stands for the way to the course; sessiondb.compile() put the expression of this platform\n * in its place.\n *\n * SECURITY DEFINER: a student may submit without the right to read org_members or sessions.\n */\nDECLARE\n    v_course_id pg_catalog.uuid := (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) NEW.exercise_id)::pg_catalog.uuid;\nBEGIN\n    SELECT eligible.id\n      INTO NEW.session_id\n      FROM (SELECT session_id AS of_session\n              FROM public.enrollments\n             WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id\n               AND course_id OPERATOR(pg_catalog.=) v_course_id) AS enrollment\n     CROSS JOIN LATERAL (\n            SELECT found.id, found.created_at\n              FROM (SELECT id, org_id AS of_org, created_at\n                      FROM public.sessions\n                     WHERE id OPERATOR(pg_catalog.=) enrollment.of_session\n                       AND course_id OPERATOR(pg_catalog.=) v_course_id\n                       AND status OPERATOR(pg_catalog.=) ''active'') AS found\n             WHERE EXISTS (SELECT\n                             FROM public.org_members\n                            WHERE org_id OPERATOR(pg_catalog.=) found.of_org\n                              AND user_id OPERATOR(pg_catalog.=) NEW.user_id)\n             LIMIT 1\n               FOR KEY SHARE OF found\n           ) AS eligible\n     ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC\n     LIMIT 1;\n\n    IF NOT FOUND THEN\n        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);\n    END IF;\n    RETURN NEW;\nEND\n", "kind": "f", "names": null, "types": null, "result": "trigger", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=public, pg_temp"], "volatility": "v", "security definer": true}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_choice', 'jsonb, uuid, uuid, uuid, text, uuid, jsonb', '0009', 'created', 'a31ab05f57720dbcfe66e4e8bc02d9b1d060f449840c970d88ff93e3bb1737e7', '{"set": false, "body": "\n/*\n * The last step of explain_link(), with the arguments of that: the session, the reason, and what to do. The rules are\n * those of the triggers; choose_sessions() has decided. p_facts is of explain_facts(), p_fixes holds the fixes of the\n * steps before, by step.\n */\nWITH choice AS (\n    SELECT CASE WHEN p_session_id IS NOT NULL THEN ''already_linked'' ELSE coalesce(c.reason, ''linked'') END AS reason,\n           c.session_id, (p_facts ->> ''without_enrollment'')::uuid AS without_enrollment,\n           CASE WHEN c.session_id = p_session_id THEN ''the same one''\n                ELSE coalesce(sessiondb.name_of(''session'', c.session_id), ''none ('' || c.reason || '')'') END AS today,\n           i.platform_schema\n      FROM jsonb_to_record(p_facts -> ''choice'') AS c (session_id uuid, reason text)\n     CROSS JOIN sessiondb.installation AS i\n),\n-- a link may have been right once\nlink AS (\n    SELECT CASE WHEN l.course_id <> p_course_id THEN format(''the session is of course %s, the row of course %s'', l.course_id, p_course_id)\n                WHEN NOT l.is_member THEN format(''the session is of %s, of which the user is no member'', sessiondb.name_of(''org'', l.org_id)) END AS fault\n      FROM jsonb_to_record(p_facts -> ''link'') AS l (course_id uuid, org_id uuid, is_member boolean)\n),\nbest AS (\n    SELECT b.id, b.org_id,\n           CASE WHEN b.is_active THEN format('' %s has an active one: %s.'', sessiondb.name_of(''org'', b.org_id), sessiondb.name_of(''session'', b.id)) END AS offer\n      FROM jsonb_to_record(p_facts -> ''best'') AS b (id uuid, org_id uuid, is_active boolean)\n),\nmembership AS (\n    SELECT coalesce(\n               p_fixes ->> ''user'',\n               sessiondb.org_command(''member'', coalesce((SELECT b.org_id FROM best AS b), (p_facts ->> ''any_org'')::uuid), p_user_id),\n               CASE WHEN p_user_id IS NULL THEN ''Give the row a user.'' ELSE ''sessiondb org create --name ''''My organisation'''' --slug my-organisation'' END) AS fix\n)\nSELECT coalesce(p_session_id, c.session_id), c.reason, coalesce(p_session_id, c.session_id) IS NOT NULL AND l.fault IS NULL, a.detail, a.fix\n  FROM choice AS c\n CROSS JOIN membership AS m\n CROSS JOIN link AS l\n CROSS JOIN best AS b\n CROSS JOIN LATERAL (VALUES\n        (''already_linked'',\n         coalesce(''The link is wrong: '' || l.fault || ''.'', ''A row that is linked stays in its session.'') || '' Today the rules would choose '' || c.today || ''.'',\n         CASE WHEN l.fault IS NOT NULL AND p_row_id IS NOT NULL\n              THEN format(''UPDATE %I.%I SET session_id = %L WHERE id = %L'', c.platform_schema, p_table, c.session_id, p_row_id) END),\n        (''course_unknown'',\n         ''Without a course there is no session to choose.'',\n         coalesce(p_fixes ->> ''course'', format(''Check the id of the course: SELECT * FROM %I.courses'', c.platform_schema))),\n        (''linked'',\n         format(''%s is chosen: %s.'', sessiondb.name_of(''session'', c.session_id),\n             CASE WHEN c.session_id = c.without_enrollment THEN ''the newest active session of the course in the user''''s organisations''\n                  ELSE ''the session of the student''''s enrolment, which is still active'' END),\n         -- the enrolment may get another session than the submissions\n         CASE WHEN p_fixes ? ''enrollments'' AND c.session_id <> c.without_enrollment THEN ''sessiondb backfill''\n              WHEN p_fixes ?| ARRAY[''row'', ''enrollments'', ''submissions''] THEN ''sessiondb backfill --session '' || c.session_id END),\n        (''no_membership'',\n         ''Only sessions of the user''''s organisations are chosen, and the user is in none.'' || coalesce(b.offer, ''''),\n         m.fix),\n        (''no_session_for_course'',\n         ''There is no session to choose.'',\n         sessiondb.org_command(''session'', (p_facts #>> ''{memberships,0,org_id}'')::uuid, p_course_id)),\n        (''no_active_session'',\n         ''Only active sessions are chosen, and no organisation of the user has one.'',\n         ''sessiondb session set-status '' || b.id || '' active''),\n        (''session_in_other_org'',\n         ''Only sessions of the user''''s organisations are chosen, and only others have one.'' || coalesce(b.offer, ''''),\n         m.fix)\n       ) AS a (reason, detail, fix)\n WHERE a.reason = c.reason\n", "kind": "f", "names": ["p_facts", "p_user_id", "p_course_id", "p_session_id", "p_table", "p_row_id", "p_fixes", "session_id", "reason", "ok", "detail", "fix"], "types": ["jsonb", "uuid", "uuid", "uuid", "text", "uuid", "jsonb", "uuid", "text", "bool", "text", "text"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'table_of_users', '', '0009', 'created', 'ab6e269b6d16271edad9a34f41d273109a5476fed342e2aa3e80233cec7c40ac', '{"set": false, "body": "\n/*\n * The table that user_id refers to, where the platform has one all of which the caller may read, and its key.\n */\nSELECT k.confrelid, f.attname\n  FROM sessiondb.installation AS i\n CROSS JOIN unnest(ARRAY[''org_members'', ''enrollments'', ''submissions'']) WITH ORDINALITY AS t (name, place)\n  JOIN pg_constraint AS k ON k.contype = ''f'' AND k.conrelid = to_regclass(format(''%I.%I'', i.platform_schema, t.name))\n  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = ''user_id'' AND k.conkey = ARRAY[a.attnum]\n  JOIN pg_attribute AS f ON f.attrelid = k.confrelid AND k.confkey = ARRAY[f.attnum]\n  JOIN pg_class AS c ON c.oid = k.confrelid\n WHERE has_schema_privilege(c.relnamespace, ''USAGE'')\n   AND has_column_privilege(k.confrelid, f.attnum, ''SELECT'')\n   AND NOT row_security_active(k.confrelid)\n ORDER BY t.place\n LIMIT 1\n", "kind": "f", "names": ["users", "key"], "types": ["regclass", "name"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'link_batch', 'name, regclass, tid, tid, uuid, text', '0009', 'created', '08bb98cb406340ae818694d9268057fcf43d6255258bf675a2719ef41a901514', '{"set": true, "body": "\n/*\n * Links the rows without a session in a range of pages of enrollments or submissions (p_table), or of one partition of\n * it, to what the trigger would choose now, and counts those for which there is nothing to choose, by reason.\n *\n * p_session_id  only rows that belong to this session; NULL for all\n * p_mode        link: a row that another transaction has locked is skipped; wait: it is waited for, and skipped if it\n *               was changed meanwhile; count: nothing is written, and linked is what would be\n *\n * Only rows that get a session are locked, and no more strongly than an UPDATE of a column that is no key does.\n */\nDECLARE\n    v_row_ids pg_catalog.tid[];\n    v_session_ids pg_catalog.uuid[];\nBEGIN\n    SELECT c.scanned, c.row_ids, c.session_ids, c.reasons, coalesce(pg_catalog.cardinality(c.row_ids), 0), 0\n      INTO scanned, v_row_ids, v_session_ids, reasons, linked, skipped\n      FROM sessiondb.choose_for_pages(p_table, p_partition, p_from, p_to, p_session_id) AS c;\n\n    IF linked OPERATOR(pg_catalog.>) 0 AND p_mode OPERATOR(pg_catalog.<>) ''count'' THEN\n        EXECUTE pg_catalog.format(\n            $lock$\n            SELECT pg_catalog.array_agg(l.row_id), pg_catalog.array_agg(l.session_id)\n              FROM (SELECT r.ctid AS row_id, c.session_id\n                      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS c (row_id, session_id)\n                      JOIN ONLY %s AS r ON r.ctid OPERATOR(pg_catalog.=) c.row_id\n                     WHERE r.ctid OPERATOR(pg_catalog.>=) $3 AND r.ctid OPERATOR(pg_catalog.<) $4\n                       AND r.session_id IS NULL\n                       FOR NO KEY UPDATE OF r %s) AS l\n            $lock$,\n            p_partition, CASE WHEN p_mode OPERATOR(pg_catalog.=) ''link'' THEN ''SKIP LOCKED'' END)\n           INTO v_row_ids, v_session_ids\n          USING v_row_ids, v_session_ids, p_from, p_to;\n        skipped := linked OPERATOR(pg_catalog.-) coalesce(pg_catalog.cardinality(v_row_ids), 0);\n\n        EXECUTE pg_catalog.format(\n            $update$\n            UPDATE ONLY %s AS r\n               SET session_id = l.session_id\n              FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (row_id, session_id)\n             WHERE r.ctid OPERATOR(pg_catalog.=) l.row_id\n               AND r.ctid OPERATOR(pg_catalog.>=) $3 AND r.ctid OPERATOR(pg_catalog.<) $4\n            $update$,\n            p_partition)\n          USING v_row_ids, v_session_ids, p_from, p_to;\n        GET DIAGNOSTICS linked = ROW_COUNT;\n    END IF;\n    RETURN NEXT;\nEND\n", "kind": "f", "names": ["p_table", "p_partition", "p_from", "p_to", "p_session_id", "p_mode", "scanned", "linked", "skipped", "reasons"], "types": ["name", "regclass", "tid", "tid", "uuid", "text", "int8", "int8", "int8", "jsonb"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_user', 'uuid', '0009', 'created', '933e9c683cb8ce9d415a47a6eeae4e342afbd0541ee9ed8f4088e3c81e3a1f72', '{"set": false, "body": "\n/*\n * Says of a user who is nowhere to be seen whether there is such a user at all: the id may be mistyped.\n */\nSELECT coalesce(NOT f.found, false),\n       CASE\n           WHEN f.found THEN format(''User %s has no membership, no enrolment and no submission.'', p_user_id)\n           WHEN NOT f.found THEN format(''There is no user %s in table %s.'', p_user_id, t.users)\n           ELSE format(''User %s has no membership, no enrolment and no submission; the id may be wrong.'', p_user_id)\n       END\n  FROM sessiondb.table_of_users() AS t\n CROSS JOIN LATERAL (\n        SELECT CASE WHEN t.users IS NOT NULL THEN sessiondb.ask(format(\n                   ''SELECT pg_catalog.to_jsonb(EXISTS (SELECT FROM %s AS u WHERE u.%I OPERATOR(pg_catalog.=) %L))'', t.users, t.key, p_user_id))::boolean END AS found\n       ) AS f\n", "kind": "f", "names": ["p_user_id", "is_missing", "detail"], "types": ["uuid", "bool", "text"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'backfill_partitions', '', '0009', 'created', '15c8c3072d82a1c45e11a77ebcd131f87530030a76fef83e1010d621eea5ce12', '{"set": true, "body": "\n/*\n * The tables that a backfill walks, or their partitions, in its order: enrolments first, since submissions follow them;\n * and how many pages each has.\n */\nSELECT t.table_name, c.oid::regclass, pg_relation_size(c.oid) / current_setting(''block_size'')::integer\n  FROM sessiondb.installation AS i\n CROSS JOIN (VALUES (1, ''enrollments''::name), (2, ''submissions'')) AS t (turn, table_name)\n CROSS JOIN LATERAL (SELECT to_regclass(format(''%I.%I'', i.platform_schema, t.table_name)) AS relid) AS root\n CROSS JOIN LATERAL (\n        SELECT root.relid\n         UNION\n        SELECT p.relid FROM pg_partition_tree(root.relid) AS p WHERE p.isleaf\n       ) AS leaf\n  JOIN pg_class AS c ON c.oid = leaf.relid AND c.relkind = ''r''\n ORDER BY t.turn, c.oid\n", "kind": "f", "names": ["table_name", "partition", "blocks"], "types": ["name", "regclass", "int8"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'query_of_course', 'jsonb, uuid', '0009', 'created', '606f21e7cd65e744881b12a8cf32a1c5662521ca58ae730b8281fc0b7ca85c2b', '{"set": false, "body": "\n/*\n * For explain_course(), the query of a row from which these steps of the way lead to a course: best to one that the\n * user is enrolled in, then to one that has an active session in an organisation of the user; an enrolment only of the\n * user. It returns the row, the course_id, and whether the user is enrolled in that.\n */\nSELECT format(\n           $query$\n           SELECT pg_catalog.jsonb_build_object(''row'', pg_catalog.to_jsonb(t1.*), ''course_id'', k.id, ''is_enrolled'', f.is_enrolled)\n             FROM %1$s\n             JOIN %2$I.courses AS k ON k.id OPERATOR(pg_catalog.=) t%3$s.id\n            CROSS JOIN LATERAL (\n                   SELECT EXISTS (SELECT FROM %2$I.enrollments AS e\n                                   WHERE e.user_id OPERATOR(pg_catalog.=) %4$L AND e.course_id OPERATOR(pg_catalog.=) k.id) AS is_enrolled,\n                          EXISTS (SELECT FROM %2$I.org_members AS m JOIN %2$I.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id\n                                   WHERE m.user_id OPERATOR(pg_catalog.=) %4$L AND s.course_id OPERATOR(pg_catalog.=) k.id\n                                     AND s.status OPERATOR(pg_catalog.=) ''active'') AS has_session\n                  ) AS f\n            WHERE %5$s\n            ORDER BY f.is_enrolled DESC, f.has_session DESC, k.id, t1.%6$I\n            LIMIT 1\n           $query$,\n           string_agg(CASE s.place WHEN 1 THEN s.\"to\" || '' AS t1'' ELSE (\n               SELECT format(''JOIN %s AS t%s ON %s'', s.\"to\", s.place, string_agg(\n                          format(''t%s.%I %s t%s.%I'', s.place, c.key, c.operator, s.place - 1, c.name), '' AND ''))\n                 FROM unnest(s.columns, s.keys, s.operators) AS c (name, key, operator)) END, '' '' ORDER BY s.place),\n           i.platform_schema,\n           max(s.place),\n           p_user_id,\n           CASE WHEN p_steps -> 0 ->> ''to'' = format(''%I.enrollments'', i.platform_schema)\n                THEN format(''t1.user_id OPERATOR(pg_catalog.=) %L'', p_user_id) ELSE ''true'' END,\n           (array_agg(s.keys[1] ORDER BY s.place))[1])\n  FROM sessiondb.installation AS i\n CROSS JOIN ROWS FROM (jsonb_to_recordset(p_steps) AS (\"from\" text, columns text[], \"to\" text, keys text[], operators text[]))\n       WITH ORDINALITY AS s (\"from\", columns, \"to\", keys, operators, place)\n GROUP BY i.platform_schema\n", "kind": "f", "names": ["p_steps", "p_user_id"], "types": ["jsonb", "uuid"], "result": "text", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'create_org', 'text, text', '0009', 'created', '7b86cb5c49ae5238d5edb3cabd3dcd31f6f4d85e270e1a73df56be11969f972c', '{"set": true, "body": "\n/*\n * The organisation with this slug, made if there is none yet; one that exists is left as it is. OPERATOR(pg_catalog.=):\n * as in org_of_slug.\n */\n#variable_conflict use_column\nBEGIN\n    IF p_name IS NULL OR p_name OPERATOR(pg_catalog.!~) ''\\S'' OR p_slug IS NULL OR p_slug OPERATOR(pg_catalog.!~) ''\\S'' THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''invalid_parameter_value'',\n            MESSAGE = ''an organisation needs a name and a slug that are not empty'',\n            HINT = ''Give both: sessiondb org create --name NAME --slug SLUG'';\n    END IF;\n\n    -- not o.slug: where there is no such column, that would call a function slug(orgs) that somebody made\n    RETURN QUERY\n        SELECT o.id::pg_catalog.uuid, pg_catalog.to_jsonb(o.*) OPERATOR(pg_catalog.->>) ''name''::pg_catalog.text, p_slug, false FROM public.orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug;\n    IF NOT FOUND THEN\n        RETURN QUERY\n            INSERT INTO public.orgs AS o (name, slug) VALUES (p_name, p_slug)\n            RETURNING o.id::pg_catalog.uuid, name::pg_catalog.text, slug::pg_catalog.text, true;\n    END IF;\nEND\n", "kind": "f", "names": ["p_name", "p_slug", "id", "name", "slug", "created"], "types": ["text", "text", "uuid", "text", "text", "bool"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'add_member', 'text, uuid, text', '0009', 'created', 'd14bf1ba98ab336d01888dda05e1edc9ff8ed656a9fee77c20a369498d3e0adb', '{"set": true, "body": "\n/*\n * Makes the user a member of the organisation; one who is a member already keeps the role he has. Whether the user\n * exists is for the platform''s own foreign key to say.\n */\n#variable_conflict use_column\nDECLARE\n    v_org_id pg_catalog.uuid := sessiondb.org_of_slug(p_org_slug);\n    v_role public.org_members.role%TYPE;\nBEGIN\n    IF p_role OPERATOR(pg_catalog.!~) ''\\S'' THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''invalid_parameter_value'',\n            MESSAGE = ''the role of a member cannot be empty'',\n            HINT = ''Leave it out to make the user a student.'';\n    END IF;\n\n    RETURN QUERY\n        SELECT m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, m.role::pg_catalog.text, false\n          FROM public.org_members AS m\n         WHERE m.org_id OPERATOR(pg_catalog.=) v_org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id\n         LIMIT 1;\n    IF NOT FOUND THEN\n        v_role := p_role;\n        RETURN QUERY\n            INSERT INTO public.org_members AS m (org_id, user_id, role) VALUES (v_org_id, p_user_id, v_role)\n            RETURNING m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, m.role::pg_catalog.text, true;\n    END IF;\nEND\n", "kind": "f", "names": ["p_org_slug", "p_user_id", "p_role", "org_id", "user_id", "role", "created"], "types": ["text", "uuid", "text", "uuid", "uuid", "text", "bool"], "result": "record", "strict": false, "defaults": "''student''::text", "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'backfill', 'uuid', '0009', 'created', '105a57ecc816fa14ee53134fbbcf0b93c917d381812e72ead9f519879aab32a2', '{"set": false, "body": "\n/*\n * Links all old rows, in short transactions of about 200 ms each: CALL sessiondb.backfill() in psql, outside a\n * transaction. If it is stopped, calling it again resumes it. Notices show every five seconds how far it is, and at the\n * end what it linked, and what it cannot link and why.\n *\n * No search_path is pinned, since a procedure that has settings of its own may not commit; instead each transaction\n * sets it, before anything that a caller''s path could change the meaning of. What touches the platform''s tables, and the\n * commit, see the path that the connection began with. The advisory lock is the one that apply\n * takes, too, for each batch separately, so that it is released however this ends.\n *\n * A statement_timeout of the caller''s is for the whole CALL, which cannot lift it; a lock_timeout of the caller''s holds\n * where it is shorter than ours.\n */\nDECLARE\n    v_rows integer;\n    v_call pg_catalog.timestamptz := pg_catalog.now();\n    v_began pg_catalog.timestamptz;\n    v_told pg_catalog.timestamptz := pg_catalog.clock_timestamp();\n    v_step pg_catalog.record;\n    v_linked bigint := 0;\n    v_tries integer := 0;\n    v_counts pg_catalog.record;\n    v_text pg_catalog.text;\nBEGIN\n    LOOP\n        PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true);\n        IF NOT pg_try_advisory_xact_lock(8315179226536832612) THEN\n            RAISE EXCEPTION ''another sessiondb run works on this database''\n                USING ERRCODE = ''lock_not_available'', HINT = ''Call it again when that has ended.'';\n        END IF;\n        IF v_rows IS NULL THEN\n            CALL sessiondb.require_trusted();\n            v_rows := 1000;\n            IF current_setting(''statement_timeout'') <> ''0'' THEN\n                RAISE NOTICE ''statement_timeout ends this call after %; what is linked by then stays linked'', current_setting(''statement_timeout'')\n                    USING HINT = ''Call it again to go on, or first: SET statement_timeout TO 0'';\n            END IF;\n            SET LOCAL search_path TO DEFAULT;\n            CALL sessiondb.begin_backfill(p_session_id);\n            FOR v_text IN SELECT r.remark FROM sessiondb.backfill_remarks(p_session_id) AS r (remark) LOOP\n                RAISE NOTICE ''%'', v_text;\n            END LOOP;\n            SET LOCAL search_path TO pg_catalog, pg_temp;\n        END IF;\n        v_began := clock_timestamp();\n        -- or else others would wait for the rows of this batch as long as it waits for one that stays locked\n        PERFORM set_config(''lock_timeout'', least(nullif(s.setting::integer, 0), 2000)::text, true) FROM pg_settings AS s WHERE s.name = ''lock_timeout'';\n        BEGIN\n            SET LOCAL search_path TO DEFAULT;\n            SELECT s.* INTO v_step FROM sessiondb.backfill_step(v_rows) AS s;\n            SET LOCAL search_path TO pg_catalog, pg_temp;\n            EXIT WHEN v_step.table_name IS NULL;\n            v_tries := 0;\n            v_linked := v_linked + v_step.linked;\n        EXCEPTION WHEN foreign_key_violation OR check_violation OR lock_not_available OR deadlock_detected\n                    OR serialization_failure OR undefined_table THEN\n            -- a session, a membership, a row or a partition has just changed, or is about to\n            v_tries := v_tries + 1;\n            IF v_tries > 5 THEN\n                RAISE NOTICE ''stopped; linked by this call: %'', v_linked USING HINT = ''What is linked stays linked; call it again to go on.'';\n                RAISE;\n            END IF;\n            RAISE NOTICE ''the batch is tried again: %'', SQLERRM;\n            PERFORM pg_sleep(0.1 * v_tries);\n        END;\n        IF v_tries = 0 AND clock_timestamp() > v_told + interval ''5 seconds'' THEN\n            v_told := clock_timestamp();\n            RAISE NOTICE ''linked by this call: %; pages: % of %'', v_linked, v_step.blocks_done, v_step.blocks_total;\n        END IF;\n        -- no more than 5000: after pages with nothing to link may come some with much\n        v_rows := least(greatest(v_rows * least(greatest(0.2 / greatest(EXTRACT(epoch FROM clock_timestamp() - v_began), 0.001), 0.5), 2.0), 100), 5000);\n        -- for deferred triggers\n        SET LOCAL search_path TO DEFAULT;\n        COMMIT;\n    END LOOP;\n    SET LOCAL search_path TO pg_catalog, pg_temp;\n    FOR v_counts IN SELECT c.* FROM sessiondb.backfill_counts() AS c LOOP\n        RAISE NOTICE ''%: % linked, % cannot be.'', v_counts.table_name, v_counts.linked, v_counts.unlinkable;\n        FOR v_text IN SELECT format(''  %s: %s'', e.key, e.value) FROM jsonb_each_text(v_counts.reasons) AS e ORDER BY e.key LOOP\n            RAISE NOTICE ''%'', v_text;\n        END LOOP;\n        IF v_counts.as_of < v_call THEN\n            RAISE NOTICE ''What has become linkable since % may not be linked yet: call it again.'', date_trunc(''second'', v_counts.as_of);\n        END IF;\n    END LOOP;\n    SET LOCAL search_path TO DEFAULT;\n    COMMIT;\nEND\n", "kind": "p", "names": ["p_session_id"], "types": ["uuid"], "result": "void", "strict": false, "defaults": "NULL::uuid", "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'ask', 'text', '0009', 'created', '6f16fd86cfb6db1401d750e452c28e389b6ac565bd7a0d44a680010ae73039f7', '{"set": false, "body": "\n/*\n * The one value that a query of the platform''s tables returns. Like run_on_platform(): the query is run under the\n * search_path that the connection began with, and to be called where the path is pinned.\n *\n * SECURITY INVOKER, as all that asks through it: callers see what they may read themselves.\n */\nDECLARE\n    v_answer pg_catalog.jsonb;\nBEGIN\n    SET LOCAL search_path TO DEFAULT;\n    EXECUTE p_query INTO v_answer;\n    SET LOCAL search_path TO pg_catalog, pg_temp;\n    RETURN v_answer;\nEND\n", "kind": "f", "names": ["p_query"], "types": ["text"], "result": "jsonb", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_row', 'text, uuid', '0009', 'created', '6f589ad331ab26af5d4244f207ba51022cc9b9ee22f5238c78a4bef10b808ab6', '{"set": false, "body": "\n/*\n * explain_link() for the row of enrollments or submissions (p_table) with this id; NULL when there is none. No alias\n * before id: where there is no such column, r.id would call a function id(enrollments) that someone created.\n */\nSELECT sessiondb.explain_link((f.row ->> ''user_id'')::uuid, (f.row ->> ''course_id'')::uuid, (f.row ->> ''session_id'')::uuid, p_table, p_id)\n  FROM (SELECT sessiondb.ask(format(\n                   $row$\n                   SELECT pg_catalog.jsonb_build_object(''user_id'', r.user_id, ''course_id'', %s, ''session_id'', r.session_id)\n                     FROM %I.%I AS r\n                    WHERE id OPERATOR(pg_catalog.=) %L\n                   $row$,\n                   CASE p_table WHEN ''submissions'' THEN sessiondb.course_expression(''r'') ELSE ''r.course_id'' END,\n                   i.platform_schema, p_table, p_id)) AS row\n          FROM sessiondb.installation AS i) AS f\n WHERE f.row IS NOT NULL\n", "kind": "f", "names": ["p_table", "p_id"], "types": ["text", "uuid"], "result": "jsonb", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_link', 'uuid, uuid, uuid, text, uuid', '0009', 'created', 'c8c428e0f1142bf4402affcf909748a79bb9dfe60546cb519b569abd698ba42d', '{"set": false, "body": "\n/*\n * Why the work of a user in a course is in the session that it is in, or in none: {\"session_id\", \"reason\", \"steps\":\n * [{\"step\", \"ok\", \"detail\"}], \"fix\"}.\n *\n * p_session_id  the session that the row which is asked about is linked to\n * p_table       enrollments or submissions, where a row is asked about; NULL for a user and a course\n * p_row_id      the id of that row\n */\nWITH asked AS MATERIALIZED (\n    SELECT sessiondb.ask(format(''SELECT sessiondb.explain_facts(%L, %L, %L, %L)'',\n                                p_user_id, p_course_id, p_session_id, p_table IS DISTINCT FROM ''enrollments'')) AS facts\n),\nsteps AS MATERIALIZED (\n    SELECT s.*\n      FROM asked AS a\n     CROSS JOIN LATERAL sessiondb.explain_steps(a.facts, p_user_id, p_course_id, p_session_id, p_table, p_row_id)\n           WITH ORDINALITY AS s (step, ok, detail, fix, place)\n)\nSELECT jsonb_build_object(\n           ''session_id'', c.session_id,\n           ''reason'', c.reason,\n           ''steps'', (SELECT jsonb_agg(jsonb_build_object(''step'', s.step, ''ok'', s.ok, ''detail'', s.detail) ORDER BY s.place) FROM steps AS s)\n                    || jsonb_build_object(''step'', ''choice'', ''ok'', c.ok, ''detail'', c.detail),\n           ''fix'', c.fix)\n  FROM asked AS a\n CROSS JOIN LATERAL sessiondb.explain_choice(\n           a.facts, p_user_id, p_course_id, p_session_id, p_table, p_row_id,\n           (SELECT jsonb_object_agg(s.step, s.fix) FROM steps AS s WHERE s.fix IS NOT NULL)) AS c\n", "kind": "f", "names": ["p_user_id", "p_course_id", "p_session_id", "p_table", "p_row_id"], "types": ["uuid", "uuid", "uuid", "text", "uuid"], "result": "jsonb", "strict": false, "defaults": "NULL::uuid, NULL::text, NULL::uuid", "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'name_of', 'text, uuid', '0009', 'created', '2f76b38c920ee218f72ecb8e6b40439f06b29031e24b66a48c3b28c8d9c412f2', '{"set": false, "body": "\n/*\n * What people call an organisation (p_kind is org), its name or slug, and a session or a course, its title with the id;\n * of what has no such column, the id. to_jsonb() reads columns that a platform need not have.\n */\nSELECT CASE p_kind\n           WHEN ''org'' THEN coalesce(f.found ->> ''name'', f.found ->> ''slug'', ''organisation '' || p_id)\n           ELSE coalesce(''\"'' || (f.found ->> ''title'') || ''\" ('' || p_id || '')'', p_id::text)\n       END\n  FROM (SELECT sessiondb.ask(format(''SELECT pg_catalog.to_jsonb(r.*) FROM %I.%I AS r WHERE r.id OPERATOR(pg_catalog.=) %L'',\n                                    i.platform_schema, p_kind || ''s'', p_id)) AS found\n          FROM sessiondb.installation AS i) AS f\n", "kind": "f", "names": ["p_kind", "p_id"], "types": ["text", "uuid"], "result": "text", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'keep_batch', 'bigint, tid, bigint, bigint, bigint, jsonb', '0009', 'created', '37f446a2757dd98c9b9bfe7493cf136a3e5f4baa2bbe9b5f7600579b14e1472d', '{"set": true, "body": "\n/*\n * Keeps what link_batch() did with the pages of next_batch(), and returns what backfill_step() does.\n */\nUPDATE sessiondb.backfill_progress AS p\n   SET position = jsonb_build_object(''block'', (string_to_array(btrim(p_to_row::text, ''()''), '',''))[1]::bigint),\n       scanned = p.scanned + p_scanned, linked = p.linked + p_linked, skipped = p.skipped + p_skipped,\n       reasons = p.reasons || coalesce((\n           SELECT jsonb_object_agg(e.key, e.value::bigint + coalesce((p.reasons ->> e.key)::bigint, 0))\n             FROM jsonb_each_text(p_reasons) AS e), ''{}'')\n WHERE p.turn = p_turn;\n\nSELECT (SELECT p.table_name FROM sessiondb.backfill_progress AS p WHERE p.turn = p_turn), p_scanned, p_linked,\n       sum(CASE WHEN p.finished_at IS NULL THEN coalesce((p.position ->> ''block'')::bigint, 0) ELSE s.blocks END)::bigint,\n       sum(s.blocks)::bigint\n  FROM sessiondb.backfill_progress AS p\n CROSS JOIN LATERAL (SELECT pg_relation_size(p.partition) / current_setting(''block_size'')::integer AS blocks) AS s\n", "kind": "f", "names": ["p_turn", "p_to_row", "p_scanned", "p_linked", "p_skipped", "p_reasons", "table_name", "scanned", "linked", "blocks_done", "blocks_total"], "types": ["int8", "tid", "int8", "int8", "int8", "jsonb", "name", "int8", "int8", "int8", "int8"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'require_trusted', '', '0009', 'created', '8121ddb6ce6a4fceae5ab4c4047d205c6b760d7af5c1549cb6a379e2ab368818', '{"set": false, "body": "\n/*\n * Refuses to go on where schema sessiondb holds what belongs to a role that is not trusted, or where a column that is\n * read is gone: s.status would then be a call of a function status(s), whoever made it. Whoever calls backfill() trusts\n * its owner.\n */\nDECLARE\n    v_owner oid := (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = ''sessiondb.backfill(uuid)''::regprocedure);\n    v_found text := (\n        SELECT string_agg(format(''%s (role %s)'', s.object, s.role), '', '')\n          FROM (\nWITH trusted (oid) AS (\n    SELECT r.oid FROM pg_roles AS r WHERE r.rolsuper OR r.rolname = current_user\n    UNION ALL\n    SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()\n    UNION ALL\n    SELECT o.oid FROM (SELECT v_owner) AS o (oid) WHERE o.oid IS NOT NULL\n),\nhome AS (\n    SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = ''sessiondb''\n)\nSELECT o.object, CASE o.owner WHEN 0 THEN ''PUBLIC'' ELSE quote_ident(pg_get_userbyid(o.owner)) END AS role, o.may_create\n  FROM (\n        SELECT ''schema sessiondb'' AS object, h.nspowner AS owner, false AS may_create FROM home AS h\n        UNION ALL\n        SELECT ''schema sessiondb'', a.grantee, true\n          FROM home AS h\n         CROSS JOIN LATERAL aclexplode(h.nspacl) AS a\n         WHERE a.privilege_type = ''CREATE''\n        UNION ALL\n        SELECT format(''relation %s'', c.oid::regclass), c.relowner, false\n          FROM pg_class AS c JOIN home AS h ON h.oid = c.relnamespace\n        UNION ALL\n        SELECT format(''routine %s'', p.oid::regprocedure), p.proowner, false\n          FROM pg_proc AS p JOIN home AS h ON h.oid = p.pronamespace\n         WHERE p.proname <> ''replaced_get_user_session_for_course''\n        UNION ALL\n        SELECT format(''type %s'', t.oid::regtype), t.typowner, false\n          FROM pg_type AS t JOIN home AS h ON h.oid = t.typnamespace\n        UNION ALL\n        SELECT format(''operator %s'', p.oid::regoperator), p.oprowner, false\n          FROM pg_operator AS p JOIN home AS h ON h.oid = p.oprnamespace\n        UNION ALL\n        SELECT format(''operator class sessiondb.%I'', p.opcname), p.opcowner, false\n          FROM pg_opclass AS p JOIN home AS h ON h.oid = p.opcnamespace\n        UNION ALL\n        SELECT format(''collation %s'', c.oid::regcollation), c.collowner, false\n          FROM pg_collation AS c JOIN home AS h ON h.oid = c.collnamespace\n       ) AS o\n WHERE o.owner NOT IN (SELECT t.oid FROM trusted AS t)\n ORDER BY o.may_create, o.object\n               ) AS s);\n    v_column text;\nBEGIN\n    IF v_found IS NOT NULL THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''object_not_in_prerequisite_state'',\n            MESSAGE = format(''schema sessiondb is open to roles that are not trusted: %s'', v_found),\n            HINT = ''See: sessiondb check'';\n    END IF;\n    SELECT concat_ws(''.'', i.platform_schema, r.table_name, r.column_name)\n      INTO v_column\n      FROM sessiondb.installation AS i\n     CROSS JOIN (VALUES (''courses'', ''id''), (''org_members'', ''org_id''), (''org_members'', ''user_id''),\n                        (''sessions'', ''id''), (''sessions'', ''org_id''), (''sessions'', ''course_id''), (''sessions'', ''status''), (''sessions'', ''created_at''),\n                        (''enrollments'', ''user_id''), (''enrollments'', ''course_id''), (''enrollments'', ''session_id''),\n                        (''submissions'', ''user_id''), (''submissions'', ''session_id'')) AS r (table_name, column_name)\n     WHERE NOT EXISTS (\n            SELECT FROM pg_attribute AS a\n             WHERE a.attrelid = to_regclass(format(''%I.%I'', i.platform_schema, r.table_name))\n               AND a.attname = r.column_name\n               AND NOT a.attisdropped)\n     LIMIT 1;\n    IF FOUND THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''undefined_column'',\n            MESSAGE = format(''column %s does not exist'', v_column),\n            HINT = ''See: sessiondb check'';\n    END IF;\nEND\n", "kind": "p", "names": null, "types": null, "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'backfill_step', 'integer', '0009', 'created', '27a0f3f9fc3f44e4c36051ff8fee54e811a1e19ba6017129798ba4e5cd5f7458', '{"set": true, "body": "\n/*\n * Links the next batch of old rows, about p_rows of the table, and keeps the progress in the same transaction: whatever\n * stops a backfill, at most one batch is done again. Returns what the batch did and how many pages of all tables are\n * done; no row when the backfill is finished.\n */\nDECLARE\n    v_batch pg_catalog.record;\n    v_done pg_catalog.record;\nBEGIN\n    SELECT b.* INTO v_batch FROM sessiondb.next_batch(p_rows) AS b;\n    IF NOT FOUND THEN\n        RETURN;\n    END IF;\n    SELECT l.*\n      INTO v_done\n      FROM sessiondb.link_batch(v_batch.table_name, v_batch.partition, v_batch.from_row, v_batch.to_row, v_batch.session_id, v_batch.mode) AS l;\n    RETURN QUERY\n        SELECT k.*\n          FROM sessiondb.keep_batch(v_batch.turn, v_batch.to_row, v_done.scanned, v_done.linked, v_done.skipped, v_done.reasons) AS k;\nEND\n", "kind": "f", "names": ["p_rows", "table_name", "scanned", "linked", "blocks_done", "blocks_total"], "types": ["int4", "name", "int8", "int8", "int8", "int8"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_course', 'text, uuid, uuid', '0009', 'created', '71f5904e90262d6d84b35694228c98cf47277cac960c3334675dcfcb4350b487', '{"set": false, "body": "\n/*\n * Where the way from a row of enrollments or submissions to its course breaks off, at a column that is NULL or at a row\n * that does not exist, and the UPDATE that fixes it. Which course was meant only people know: the statement takes one\n * that the user is enrolled in, if there are several one that has a session for the user.\n *\n * sessiondb.installation keeps the steps of the way; here those that lead to a row are taken off.\n */\nDECLARE\n    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);\n    v_steps jsonb := CASE p_table\n        WHEN ''submissions'' THEN (SELECT i.course_joins FROM sessiondb.installation AS i)\n        ELSE jsonb_build_array(jsonb_build_object(\n            ''from'', format(''%I.enrollments'', v_schema), ''columns'', ARRAY[''course_id''],\n            ''to'', format(''%I.courses'', v_schema), ''keys'', ARRAY[''id''], ''operators'', ARRAY[''OPERATOR(pg_catalog.=)'']))\n    END;\n    v_step record;\n    v_row jsonb;\n    v_next jsonb;\n    v_where text := format(''id = %L'', p_row_id);\n    v_column text;\nBEGIN\n    IF p_row_id IS NULL THEN\n        RETURN;\n    END IF;\n    v_row := sessiondb.ask(format(''SELECT pg_catalog.to_jsonb(r.*) FROM %s AS r WHERE id OPERATOR(pg_catalog.=) %L'', v_steps -> 0 ->> ''from'', p_row_id));\n    FOR v_step IN SELECT s.* FROM jsonb_to_recordset(v_steps) AS s (\"from\" text, columns text[], \"to\" text, keys text[], operators text[]) LOOP\n        v_next := sessiondb.ask((\n            SELECT format(''SELECT pg_catalog.to_jsonb(r.*) FROM %s AS r WHERE %s'', v_step.\"to\",\n                          string_agg(format(''r.%I %s %L'', c.key, c.operator, v_row ->> c.name), '' AND ''))\n              FROM unnest(v_step.columns, v_step.keys, v_step.operators) AS c (name, key, operator)));\n        EXIT WHEN v_next IS NULL;\n        v_row := v_next;\n        v_where := (SELECT string_agg(format(''%I = %L'', k.name, v_row ->> k.name), '' AND '') FROM unnest(v_step.keys) AS k (name));\n        v_steps := v_steps - 0;\n    END LOOP;\n    IF v_row IS NULL OR v_next IS NOT NULL THEN\n        RETURN;\n    END IF;\n    v_column := (SELECT c.name FROM unnest(v_step.columns) WITH ORDINALITY AS c (name, place) ORDER BY (v_row ->> c.name) IS NULL DESC, c.place LIMIT 1);\n    detail := format(''The row leads to no course: %I of table %s is %s in the row with %s.'', v_column, v_step.\"from\",\n        coalesce((v_row ->> v_column) || '', of which there is no row in table '' || v_step.\"to\" || '','', ''NULL''), v_where);\n\n    v_next := sessiondb.ask(sessiondb.query_of_course(v_steps, p_user_id));\n    IF v_next IS NULL THEN\n        fix := format(''Table %s has no row that it could lead to: make one first.'', v_step.\"to\");\n        RETURN;\n    END IF;\n    detail := format(''%s The fix takes course %s%s; which was meant only you know.'', detail, sessiondb.name_of(''course'', (v_next ->> ''course_id'')::uuid),\n        CASE WHEN (v_next -> ''is_enrolled'')::boolean THEN '', in which the user is enrolled'' END);\n    fix := format(''UPDATE %s SET %s WHERE %s'', v_step.\"from\",\n        (SELECT string_agg(format(''%I = %L'', c.name, v_next -> ''row'' ->> c.key), '', '') FROM unnest(v_step.columns, v_step.keys) AS c (name, key)),\n        v_where);\nEND\n", "kind": "f", "names": ["p_table", "p_row_id", "p_user_id", "detail", "fix"], "types": ["text", "uuid", "uuid", "text", "text"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'begin_backfill', 'uuid', '0009', 'created', 'aa5e959dfd055d6bfa3e608e11795126e2a72b782b91b84196308ec44d9e1f3c', '{"set": false, "body": "\n/*\n * Makes ready for backfill_step(), or to go on with a backfill that was stopped. A mistyped id must not take the\n * progress of that away.\n */\nBEGIN\n    IF p_session_id IS NOT NULL AND NOT EXISTS (SELECT FROM public.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) p_session_id) THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''no_data_found'',\n            MESSAGE = pg_catalog.format(''there is no session with the id %s'', p_session_id),\n            HINT = ''List them with: sessiondb session list'';\n    END IF;\n    CALL sessiondb.start_backfill(p_session_id);\nEND\n", "kind": "p", "names": ["p_session_id"], "types": ["uuid"], "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_steps', 'jsonb, uuid, uuid, uuid, text, uuid', '0009', 'created', 'f2fba003521e8053ab31416ec066e01ededa14cd8aa8a235a3fc634572745da6', '{"set": true, "body": "\n/*\n * What explain_link() shows before the choice: the row, or the rows of the user in the course; a user of whom there are\n * none; the course; the user''s organisations; and those that have sessions of the course. p_facts is of\n * explain_facts(); fix what would repair that step alone, if something would.\n */\nSELECT ''row'', p_session_id IS NOT NULL,\n       coalesce(''The row is linked to session '' || sessiondb.name_of(''session'', p_session_id) || ''.'', ''The row has no session.''),\n       CASE WHEN p_session_id IS NULL THEN ''sessiondb backfill'' END\n WHERE p_table IS NOT NULL\nUNION ALL\nSELECT * FROM (\n    SELECT t.name, coalesce(bool_or(r.session_id IS NOT NULL), false),\n           coalesce(format(''The user has %s %s%s in the course: '', sum(r.rows), t.noun, CASE WHEN sum(r.rows) > 1 THEN ''s'' END)\n                    || string_agg(r.rows || coalesce('' linked to '' || sessiondb.name_of(''session'', r.session_id), '' not linked''), '', ''\n                                  ORDER BY r.session_id IS NULL, r.rows DESC, r.session_id) || ''.'',\n                    ''The user has no '' || t.noun || '' in the course.''),\n           CASE WHEN bool_or(r.rows > 0 AND r.session_id IS NULL) THEN ''sessiondb backfill'' END\n      FROM (VALUES (''enrollments'', ''enrolment''), (''submissions'', ''submission'')) AS t (name, noun)\n      LEFT JOIN jsonb_to_recordset(p_facts -> ''rows'') AS r (table_name text, session_id uuid, rows bigint) ON r.table_name = t.name\n     WHERE p_table IS NULL\n     GROUP BY t.name, t.noun\n     ORDER BY t.name) AS of_user\nUNION ALL\nSELECT ''user'', NOT u.is_missing, u.detail, CASE WHEN u.is_missing THEN ''Check the id of the user.'' END\n  FROM sessiondb.explain_user(p_user_id) AS u\n WHERE p_user_id IS NOT NULL AND NOT (p_facts -> ''is_seen'')::boolean\nUNION ALL\nSELECT ''course'', (p_facts -> ''is_course'')::boolean,\n       coalesce(CASE WHEN (p_facts -> ''is_course'')::boolean THEN ''Course '' || sessiondb.name_of(''course'', p_course_id) || ''.'' END, c.detail,\n                CASE WHEN p_course_id IS NULL THEN ''The row leads to no course.'' ELSE format(''There is no course %s.'', p_course_id) END),\n       c.fix\n  FROM sessiondb.explain_course(\n           p_table, CASE WHEN p_session_id IS NULL AND p_facts #>> ''{choice,reason}'' = ''course_unknown'' THEN p_row_id END, p_user_id) AS c\nUNION ALL\nSELECT ''memberships'', count(*) > 0,\n       coalesce(''Member of '' || string_agg(format(''%s (%s)'', sessiondb.name_of(''org'', m.org_id), coalesce(m.role, ''-'')), '', '' ORDER BY m.org_id) || ''.'',\n                format(''User %s is a member of no organisation.'', coalesce(p_user_id::text, ''(none)''))),\n       NULL\n  FROM jsonb_to_recordset(p_facts -> ''memberships'') AS m (org_id uuid, role text)\nUNION ALL\nSELECT ''sessions'', o.active > 0,\n       format(''%s%s has %s of the course: %s%s.'', sessiondb.name_of(''org'', o.org_id), CASE WHEN NOT o.mine THEN '', which is not an organisation of the user,'' END,\n              CASE o.sessions WHEN 1 THEN ''1 session'' ELSE o.sessions || '' sessions'' END,\n              array_to_string(o.titles, '', ''), CASE WHEN o.sessions > 5 THEN '', ...'' END),\n       NULL\n  FROM ROWS FROM (jsonb_to_recordset(p_facts -> ''sessions'') AS (org_id uuid, mine boolean, sessions bigint, active bigint, titles text[]))\n       AS o (org_id, mine, sessions, active, titles)\nUNION ALL\nSELECT ''sessions'', false, ''No organisation has a session of the course.'', NULL\n WHERE p_session_id IS NULL AND p_facts #>> ''{choice,reason}'' = ''no_session_for_course''\n", "kind": "f", "names": ["p_facts", "p_user_id", "p_course_id", "p_session_id", "p_table", "p_row_id", "step", "ok", "detail", "fix"], "types": ["jsonb", "uuid", "uuid", "uuid", "text", "uuid", "text", "bool", "text", "text"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'choose_for_pages', 'name, regclass, tid, tid, uuid', '0009', 'created', '19ab0262b94c71813c10d19a3165628c7f6ccc7c0dd12c7acbbd775d4cfb476e', '{"set": false, "body": "\n/*\n * Of the rows without a session in a range of pages of a table, or of one partition of it: how many there are, those\n * that the trigger would choose a session for now, with that session, and how many there are of the others, by reason.\n *\n * p_session_id  only rows that belong to this session; NULL for all\n *\n * The rows are kept in arrays, whose length the planner knows: of a column that was added just now it knows nothing,\n * takes the rows without a session for a few, and would compare each with each. The SQL is put together for the name of\n * the partition alone.\n */\nDECLARE\n    v_user_ids pg_catalog.uuid[];\n    v_course_ids pg_catalog.uuid[];\nBEGIN\n    EXECUTE pg_catalog.format(\n        $read$\n        SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(r.user_id), pg_catalog.array_agg(%s)\n          FROM ONLY %s AS r\n         WHERE r.ctid OPERATOR(pg_catalog.>=) $1 AND r.ctid OPERATOR(pg_catalog.<) $2\n           AND r.session_id IS NULL\n        $read$,\n        CASE WHEN p_table OPERATOR(pg_catalog.=) ''submissions'' THEN sessiondb.course_expression(''r'') ELSE ''r.course_id'' END, p_partition)\n       INTO row_ids, v_user_ids, v_course_ids\n      USING p_from, p_to;\n\n    WITH candidate AS (\n        SELECT c.row_id, c.user_id, c.course_id\n          FROM ROWS FROM (pg_catalog.unnest(row_ids), pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids))\n               AS c (row_id, user_id, course_id)\n    ),\n    pair AS (\n        SELECT pg_catalog.array_agg(d.user_id) AS user_ids, pg_catalog.array_agg(d.course_id) AS course_ids\n          FROM (SELECT DISTINCT c.user_id, c.course_id\n                  FROM candidate AS c\n                 WHERE c.user_id IS NOT NULL AND c.course_id IS NOT NULL) AS d\n    ),\n    choice AS (\n        SELECT s.*\n          FROM pair AS p\n         CROSS JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, p_table OPERATOR(pg_catalog.=) ''submissions'') AS s\n    ),\n    outcome AS (\n        SELECT c.row_id, h.session_id,\n               CASE\n                   WHEN c.course_id IS NULL THEN ''course_unknown''\n                   WHEN c.user_id IS NULL THEN ''no_membership''\n                   ELSE h.reason\n               END AS reason\n          FROM candidate AS c\n          LEFT JOIN choice AS h ON h.user_id OPERATOR(pg_catalog.=) c.user_id AND h.course_id OPERATOR(pg_catalog.=) c.course_id\n         WHERE p_session_id IS NULL OR h.session_id OPERATOR(pg_catalog.=) p_session_id\n    )\n    SELECT pg_catalog.count(*),\n           pg_catalog.array_agg(o.row_id) FILTER (WHERE o.session_id IS NOT NULL),\n           pg_catalog.array_agg(o.session_id) FILTER (WHERE o.session_id IS NOT NULL),\n           (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), ''{}'')\n              FROM (SELECT o.reason, pg_catalog.count(*) AS rows\n                      FROM outcome AS o WHERE o.session_id IS NULL GROUP BY o.reason) AS u)\n      INTO scanned, row_ids, session_ids, reasons\n      FROM outcome AS o;\nEND\n", "kind": "f", "names": ["p_table", "p_partition", "p_from", "p_to", "p_session_id", "scanned", "row_ids", "session_ids", "reasons"], "types": ["name", "regclass", "tid", "tid", "uuid", "int8", "_tid", "_uuid", "jsonb"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'backfill_remarks', 'uuid', '0009', 'created', '10fdc6778c52924e94bac79d7606ee8f703abbb4b7962e85d473a7b5faf9828c', '{"set": true, "body": "\n/*\n * What to know before a backfill, of this session or of all (NULL): that nothing is linked to a session that is not\n * active, and which triggers of the platform fire.\n */\nSELECT pg_catalog.format(''Session %s is %s, and only active ones are chosen: nothing will be linked to it.'', s.id, s.status)\n  FROM public.sessions AS s\n WHERE s.id OPERATOR(pg_catalog.=) p_session_id\n   AND NOT s.status OPERATOR(pg_catalog.=) ''active''\nUNION ALL\nSELECT t.remark\n  FROM sessiondb.triggers_that_fire() AS t (remark)\n", "kind": "f", "names": ["p_session_id"], "types": ["uuid"], "result": "text", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": null, "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'triggers_that_fire', '', '0009', 'created', 'f0d86490ef41f9154073390b813661308a62816b2e2a412e4ccefb233f589419', '{"set": true, "body": "\n/*\n * Which triggers of the platform a backfill fires, since linking is an UPDATE of each row: they may write updated_at,\n * or refuse it. On a partitioned table those of the partitions fire.\n */\nSELECT format(''Linking a row of %s fires the platform''''s triggers on UPDATE: %s.'',\n              b.table_name, string_agg(DISTINCT quote_ident(t.tgname), '', ''))\n  FROM sessiondb.backfill_partitions() AS b\n  JOIN pg_attribute AS a ON a.attrelid = b.partition AND a.attname = ''session_id''\n  JOIN pg_trigger AS t ON t.tgrelid = a.attrelid\n  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace IS DISTINCT FROM to_regnamespace(''sessiondb'')\n WHERE NOT t.tgisinternal\n   AND t.tgenabled IN (''O'', ''A'')\n   AND t.tgtype & 16 > 0\n   AND (a.attnum = ANY (t.tgattr) OR cardinality(t.tgattr::smallint[]) = 0)\n GROUP BY b.table_name\n", "kind": "f", "names": null, "types": null, "result": "text", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'start_backfill', 'uuid', '0009', 'created', 'bcb48326847b96014902d28f18eee3323a9cd52b8b83a9ed8739bbdc0c856b46', '{"set": false, "body": "\n/*\n * One row of sessiondb.backfill_progress for each table, or for each partition of it, enrolments first, since\n * submissions follow them. A backfill with the same argument that was stopped resumes where it stopped, and does not\n * look again at what it had passed.\n */\nBEGIN\n    IF EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.finished_at IS NULL)\n        AND NOT EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.session_id IS DISTINCT FROM p_session_id)\n    THEN\n        UPDATE sessiondb.backfill_progress AS p\n           SET started_at = now()\n         WHERE p.finished_at IS NULL AND p.position IS NULL;\n        RETURN;\n    END IF;\n\n    DELETE FROM sessiondb.backfill_progress;\n    INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)\n    SELECT b.turn, b.table_name, b.partition, c.relfilenode, p_session_id\n      FROM sessiondb.backfill_partitions() WITH ORDINALITY AS b (table_name, partition, blocks, turn)\n      JOIN pg_class AS c ON c.oid = b.partition;\nEND\n", "kind": "p", "names": ["p_session_id"], "types": ["uuid"], "result": "void", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'create_session', 'text, uuid, uuid, text, text', '0009', 'created', '8e84abd944e381dff6dab29d8fb8e1cdc92e04725ba305544a4bfc11cdd3e366', '{"set": true, "body": "\n/*\n * A new session of the course for the organisation, titled after the course where no title is given, and how many\n * unlinked rows of the course a backfill would link now.\n */\n#variable_conflict use_column\nDECLARE\n    v_org_id pg_catalog.uuid := sessiondb.org_of_slug(p_org_slug);\n    v_status public.sessions.status%TYPE;\n    v_course_title pg_catalog.text;\nBEGIN\n    -- not c.title: where there is no such column, that would call a function title(courses) that somebody made\n    SELECT coalesce(pg_catalog.to_jsonb(c.*) OPERATOR(pg_catalog.->>) ''title''::pg_catalog.text, c.id::pg_catalog.text) INTO v_course_title FROM public.courses AS c WHERE c.id OPERATOR(pg_catalog.=) p_course_id;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''no_data_found'',\n            MESSAGE = pg_catalog.format(''there is no course with the id %s'', p_course_id),\n            HINT = ''List them with: SELECT id, title FROM courses'';\n    END IF;\n    IF p_title OPERATOR(pg_catalog.!~) ''\\S'' THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''invalid_parameter_value'',\n            MESSAGE = ''the title of a session cannot be empty'',\n            HINT = ''Leave it out to have the session named after its course.'';\n    END IF;\n\n    v_status := sessiondb.session_status(\n        p_status, EXISTS (SELECT FROM public.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) p_status));\n    INSERT INTO public.sessions AS s (org_id, course_id, title, status, created_by)\n    VALUES (v_org_id, p_course_id, coalesce(p_title, ''Session - '' OPERATOR(pg_catalog.||) v_course_title), v_status, p_created_by)\n    RETURNING s.id, s.org_id, s.course_id, title::pg_catalog.text, s.status::pg_catalog.text\n         INTO id, org_id, course_id, title, status;\n    SELECT l.enrollments, l.submissions\n      INTO linkable_enrollments, linkable_submissions\n      FROM sessiondb.count_linkable(p_course_id) AS l;\n    RETURN NEXT;\nEND\n", "kind": "f", "names": ["p_org_slug", "p_course_id", "p_created_by", "p_title", "p_status", "id", "org_id", "course_id", "title", "status", "linkable_enrollments", "linkable_submissions"], "types": ["text", "uuid", "uuid", "text", "text", "uuid", "uuid", "uuid", "text", "text", "int8", "int8"], "result": "record", "strict": false, "defaults": "NULL::text, ''active''::text", "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'explain_facts', 'uuid, uuid, uuid, boolean', '0009', 'created', '5cdcb2ea7277784519cb6ddbc3bb07189c53ce6161c5ce9c56b990f5f21df31a', '{"set": false, "body": "\n/*\n * What explain_link() tells of, as the platform''s tables have it:\n *\n * choice, without_enrollment  what choose_sessions() says, and the session that it would choose for an enrolment\n * is_seen                     the user has a membership, an enrolment or a submission\n * is_course                   there is such a course\n * memberships                 of the user: org_id, role\n * rows                        of the user in the course, by table and session\n * sessions                    of the course: the organisations that have some, the user''s first, at most 20, with\n *                             the titles of the five newest\n * link                        of the session that the row is linked to: course_id, org_id, is_member\n * best                        the session that a fix is about: of the user''s organisations if they have one, an active\n *                             one if there is\n * any_org                     an organisation\n */\nSELECT pg_catalog.jsonb_build_object(\n    ''choice'', (SELECT pg_catalog.to_jsonb(c.*) FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], p_by_enrollment) AS c),\n    ''without_enrollment'', (SELECT c.session_id FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], false) AS c),\n    ''is_seen'', EXISTS (SELECT FROM public.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id)\n            OR EXISTS (SELECT FROM public.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id)\n            OR EXISTS (SELECT FROM public.submissions AS b WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id),\n    ''is_course'', EXISTS (SELECT FROM public.courses AS k WHERE k.id OPERATOR(pg_catalog.=) p_course_id),\n    ''memberships'', coalesce((\n        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(''org_id'', m.org_id, ''role'', pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) ''role''::pg_catalog.text) ORDER BY m.org_id)\n          FROM public.org_members AS m\n         WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id), ''[]''),\n    ''rows'', coalesce((\n        SELECT pg_catalog.jsonb_agg(r.*)\n          FROM (SELECT ''enrollments'' AS table_name, e.session_id, pg_catalog.count(*) AS rows\n                  FROM public.enrollments AS e\n                 WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id AND e.course_id OPERATOR(pg_catalog.=) p_course_id\n                 GROUP BY e.session_id\n                UNION ALL\n                SELECT ''submissions'', b.session_id, pg_catalog.count(*)\n                  FROM public.submissions AS b\n                 WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id AND (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) b.exercise_id)::pg_catalog.uuid OPERATOR(pg_catalog.=) p_course_id\n                 GROUP BY b.session_id) AS r), ''[]''),\n    ''sessions'', coalesce((\n        SELECT pg_catalog.jsonb_agg(o.*)\n          FROM (SELECT s.org_id,\n                       EXISTS (SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id) AS mine,\n                       pg_catalog.count(*) AS sessions,\n                       pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) ''active'') AS active,\n                       (pg_catalog.array_agg(\n                           pg_catalog.format(''\"%s\" %s'', coalesce(pg_catalog.to_jsonb(s.*) OPERATOR(pg_catalog.->>) ''title''::pg_catalog.text, s.id::pg_catalog.text), s.status)\n                           ORDER BY s.created_at DESC NULLS LAST, s.id DESC))[1:5] AS titles,\n                       (SELECT pg_catalog.to_jsonb(g.*) OPERATOR(pg_catalog.->>) ''name''::pg_catalog.text FROM public.orgs AS g WHERE g.id OPERATOR(pg_catalog.=) s.org_id) AS name\n                  FROM public.sessions AS s\n                 WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id\n                 GROUP BY s.org_id\n                 ORDER BY mine DESC, name, s.org_id\n                 LIMIT 20) AS o), ''[]''),\n    ''link'', coalesce((\n        SELECT pg_catalog.jsonb_build_object(''course_id'', s.course_id, ''org_id'', s.org_id, ''is_member'', EXISTS (\n                   SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id))\n          FROM public.sessions AS s\n         WHERE s.id OPERATOR(pg_catalog.=) p_session_id), ''{}''),\n    ''best'', coalesce((\n        SELECT pg_catalog.jsonb_build_object(''id'', s.id, ''org_id'', s.org_id, ''is_active'', s.status OPERATOR(pg_catalog.=) ''active'')\n          FROM public.sessions AS s\n         WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id\n         ORDER BY EXISTS (SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id) DESC,\n                  (s.status OPERATOR(pg_catalog.=) ''active'') DESC NULLS LAST, s.created_at DESC NULLS LAST, s.id DESC\n         LIMIT 1), ''{}''),\n    ''any_org'', (SELECT o.id FROM public.orgs AS o ORDER BY o.id LIMIT 1))\n", "kind": "f", "names": ["p_user_id", "p_course_id", "p_session_id", "p_by_enrollment"], "types": ["uuid", "uuid", "uuid", "bool"], "result": "jsonb", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": null, "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'next_batch', 'integer', '0009', 'created', 'b7bec6d7238feff5897db547908aa58d10ad90668d3a6b32ad28adb764c06a90', '{"set": true, "body": "\n/*\n * The pages that backfill_step() is to link next, with about p_rows rows of the table; no row when the backfill is\n * finished. The arguments of link_batch() are among the columns.\n *\n * Rows that another transaction had locked are waited for in a second pass over their table. One that was changed\n * meanwhile may be anywhere in it now, and lead to another session or to none: so passes follow until one has skipped\n * no row, and each counts from the beginning.\n */\nDECLARE\n    v_at record;\nBEGIN\n    LOOP\n        SELECT p.*, coalesce((p.position ->> ''block'')::bigint, 0) AS block, c.relfilenode AS file, c.reltuples, c.relpages,\n               pg_relation_size(c.oid) / current_setting(''block_size'')::integer AS blocks\n          INTO v_at\n          FROM sessiondb.backfill_progress AS p\n         CROSS JOIN sessiondb.installation AS i\n          LEFT JOIN pg_class AS c\n            ON c.oid = p.partition\n           AND coalesce(pg_partition_root(c.oid), c.oid) = to_regclass(format(''%I.%I'', i.platform_schema, p.table_name))\n         WHERE p.finished_at IS NULL\n         ORDER BY p.turn\n         LIMIT 1\n           FOR UPDATE OF p;\n        IF NOT FOUND THEN\n            -- partitions that were attached meanwhile\n            INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)\n            SELECT known.turn + row_number() OVER (), b.table_name, b.partition, c.relfilenode, known.session_id\n              FROM sessiondb.backfill_partitions() AS b\n              JOIN pg_class AS c ON c.oid = b.partition\n             CROSS JOIN (SELECT p.turn, p.session_id FROM sessiondb.backfill_progress AS p ORDER BY p.turn DESC LIMIT 1) AS known\n             WHERE b.partition NOT IN (SELECT p.partition FROM sessiondb.backfill_progress AS p);\n            CONTINUE WHEN FOUND;\n            RETURN;\n        END IF;\n        EXIT WHEN v_at.file = v_at.relfilenode AND v_at.block < v_at.blocks;\n\n        IF v_at.file <> v_at.relfilenode OR v_at.file IS NOT NULL AND v_at.skipped > 0 THEN\n            -- from its first page again: one that was rewritten has other pages than those that we have seen\n            UPDATE sessiondb.backfill_progress AS p\n               SET position = NULL, scanned = p.linked, skipped = 0, reasons = ''{}'',\n                   second_pass = v_at.file = p.relfilenode, relfilenode = v_at.file,\n                   started_at = CASE WHEN v_at.file = p.relfilenode THEN p.started_at ELSE now() END\n             WHERE p.turn = v_at.turn;\n        ELSE\n            -- also if it was detached or dropped meanwhile: what was linked there stays counted\n            UPDATE sessiondb.backfill_progress AS p SET finished_at = now() WHERE p.turn = v_at.turn;\n        END IF;\n    END LOOP;\n\n    turn := v_at.turn;\n    table_name := v_at.table_name;\n    partition := v_at.partition;\n    session_id := v_at.session_id;\n    mode := CASE WHEN v_at.second_pass THEN ''wait'' ELSE ''link'' END;\n    from_row := format(''(%s,0)'', v_at.block)::tid;\n    -- about 50 rows on a page, where the statistics are of none or of a time when the table was much smaller; the\n    -- backfill itself makes it twice as large\n    to_row := format(''(%s,0)'', least(v_at.blocks, v_at.block + greatest(1, p_rows / CASE\n        WHEN v_at.reltuples > 0 AND v_at.relpages * 3 >= v_at.blocks THEN v_at.reltuples / v_at.relpages ELSE 50 END)::bigint))::tid;\n    RETURN NEXT;\nEND\n", "kind": "f", "names": ["p_rows", "turn", "table_name", "partition", "session_id", "from_row", "to_row", "mode"], "types": ["int4", "int8", "name", "regclass", "uuid", "tid", "tid", "text"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'session_status', 'text, boolean', '0009', 'created', 'c69bd9b81c9b87dd700462c65298bf7d21dccfb47c60dcb7b9103360eadcb102', '{"set": false, "body": "\n/*\n * p_status, if it is one that a session may have; raises invalid_parameter_value otherwise. Where the platform lists\n * its statuses, in an enum or a CHECK, the platform decides, when the row is written. Where the column takes any text,\n * a mistyped status would make a session that nobody is ever linked to, so only the usual words and those in use\n * (p_is_used) are taken.\n */\nDECLARE\n    v_labels text;\n    v_has_check boolean;\n    v_is_known boolean;\nBEGIN\n    SELECT (SELECT string_agg(e.enumlabel, '', '' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = a.atttypid),\n           EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = ''c'' AND a.attnum = ANY (c.conkey))\n      INTO v_labels, v_has_check\n      FROM sessiondb.installation AS i\n      JOIN pg_attribute AS a ON a.attrelid = to_regclass(format(''%I.sessions'', i.platform_schema)) AND a.attname = ''status'';\n    v_is_known := CASE\n        WHEN v_labels IS NOT NULL THEN p_status = ANY (string_to_array(v_labels, '', ''))\n        ELSE v_has_check OR p_is_used\n             OR p_status IN (''draft'', ''planned'', ''scheduled'', ''active'', ''paused'', ''completed'', ''cancelled'', ''archived'')\n    END;\n    IF v_is_known THEN\n        RETURN p_status;\n    END IF;\n    RAISE EXCEPTION USING\n        ERRCODE = ''invalid_parameter_value'',\n        MESSAGE = format(''unknown session status \"%s\"'', p_status),\n        HINT = coalesce(''The platform knows: '' || v_labels,\n            ''The status that links students is active; others in use are for instance draft, scheduled, completed, cancelled.'');\nEND\n", "kind": "f", "names": ["p_status", "p_is_used"], "types": ["text", "bool"], "result": "text", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'choose_sessions', 'uuid[], uuid[], boolean', '0009', 'created', '6f9473bb7ff20cb737f216d6ad4a44cfa745769a354d535f659309af352fc4a8', '{"set": true, "body": "\n/*\n * For each pair of a user and a course the session that the triggers would choose now, and where there is none, why:\n * for the backfill, for explain, show and check. SECURITY INVOKER, and meant to be called: whoever asks is told what he\n * may read himself.\n *\n * p_by_enrollment: for submissions, whose first choice is the session of the student''s enrolment; LIMIT 1 keeps the\n * joins in order as in link_submission.\n *\n * reason is the first that is true of: course_unknown; no_membership, the user is in no organisation;\n * no_session_for_course, no organisation has one; no_active_session, an organisation of the user has sessions of the\n * course, none of them active; session_in_other_org, only others have one.\n */\nWITH choice AS MATERIALIZED (\n    SELECT p.user_id, p.course_id,\n           coalesce(\n               (SELECT eligible.id\n                  FROM public.enrollments AS e\n                 CROSS JOIN LATERAL (\n                        SELECT s.id, s.created_at\n                          FROM public.sessions AS s\n                         WHERE s.id OPERATOR(pg_catalog.=) e.session_id\n                           AND s.course_id OPERATOR(pg_catalog.=) e.course_id\n                           AND s.status OPERATOR(pg_catalog.=) ''active''\n                           AND EXISTS (SELECT FROM public.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id)\n                         LIMIT 1\n                       ) AS eligible\n                 WHERE p_by_enrollment\n                   AND e.user_id OPERATOR(pg_catalog.=) p.user_id\n                   AND e.course_id OPERATOR(pg_catalog.=) p.course_id\n                 ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC\n                 LIMIT 1),\n               (SELECT newest.id\n                  FROM public.org_members AS m\n                 CROSS JOIN LATERAL (\n                        SELECT s.id, s.created_at\n                          FROM public.sessions AS s\n                         WHERE s.org_id OPERATOR(pg_catalog.=) m.org_id\n                           AND s.course_id OPERATOR(pg_catalog.=) p.course_id\n                           AND s.status OPERATOR(pg_catalog.=) ''active''\n                         ORDER BY s.created_at DESC NULLS LAST, s.id DESC\n                         LIMIT 1\n                       ) AS newest\n                 WHERE m.user_id OPERATOR(pg_catalog.=) p.user_id\n                 ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC\n                 LIMIT 1)\n           ) AS session_id\n      FROM ROWS FROM (pg_catalog.unnest(p_user_ids), pg_catalog.unnest(p_course_ids)) AS p (user_id, course_id)\n)\nSELECT c.user_id, c.course_id, c.session_id,\n       CASE\n           WHEN c.session_id IS NOT NULL THEN NULL\n           WHEN c.course_id IS NULL\n             OR NOT EXISTS (SELECT FROM public.courses AS k WHERE k.id OPERATOR(pg_catalog.=) c.course_id) THEN ''course_unknown''\n           WHEN NOT EXISTS (SELECT FROM public.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id) THEN ''no_membership''\n           WHEN NOT c.course_id OPERATOR(pg_catalog.=) ANY (SELECT s.course_id FROM public.sessions AS s WHERE s.course_id IS NOT NULL)\n           THEN ''no_session_for_course''\n           WHEN EXISTS (\n                SELECT FROM public.org_members AS m\n                  JOIN public.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id\n                 WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND s.course_id OPERATOR(pg_catalog.=) c.course_id) THEN ''no_active_session''\n           ELSE ''session_in_other_org''\n       END\n  FROM choice AS c\n", "kind": "f", "names": ["p_user_ids", "p_course_ids", "p_by_enrollment", "user_id", "course_id", "session_id", "reason"], "types": ["_uuid", "_uuid", "bool", "uuid", "uuid", "uuid", "text"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": null, "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'backfill_counts', '', '0009', 'created', 'f2224f43e019d1d5acc8e8a09572f3040360b300c74bfc4e4801ec2a1ea96ab5', '{"set": true, "body": "\n/*\n * What the last backfill has done with each table so far, also over several runs: the rows without a session that it\n * has looked at, those that it linked, and those that it cannot link, by reason. What was linkable at the time as_of is\n * linked when it is finished.\n */\nSELECT t.table_name, t.scanned, t.linked, u.unlinkable, u.reasons, t.as_of\n  FROM (\n        SELECT k.turn, k.table_name, coalesce(sum(p.scanned), 0)::bigint AS scanned,\n               coalesce(sum(p.linked), 0)::bigint AS linked, min(p.started_at) AS as_of\n          FROM (VALUES (1, ''enrollments''::name), (2, ''submissions'')) AS k (turn, table_name)\n          LEFT JOIN sessiondb.backfill_progress AS p ON p.table_name = k.table_name\n         GROUP BY k.turn, k.table_name\n       ) AS t\n CROSS JOIN LATERAL (\n        SELECT coalesce(sum(r.rows), 0)::bigint AS unlinkable,\n               coalesce(jsonb_object_agg(r.reason, r.rows), ''{}'') AS reasons\n          FROM (\n                SELECT e.key AS reason, sum(e.value::bigint)::bigint AS rows\n                  FROM sessiondb.backfill_progress AS p\n                 CROSS JOIN LATERAL jsonb_each_text(p.reasons) AS e\n                 WHERE p.table_name = t.table_name\n                 GROUP BY e.key\n               ) AS r\n       ) AS u\n ORDER BY t.turn\n", "kind": "f", "names": ["table_name", "scanned", "linked", "unlinkable", "reasons", "as_of"], "types": ["name", "int8", "int8", "int8", "jsonb", "timestamptz"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": ["search_path=pg_catalog, pg_temp"], "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'set_session_status', 'uuid, text', '0009', 'created', '0e9c4f9f9e7509251b131b5cbd7c887ffc8b3ca8f44eb01e71c812b39fb61b78', '{"set": true, "body": "\n/*\n * Gives the session another status, and counts the unlinked rows of its course that a backfill would link now. Rows\n * that are linked stay linked.\n */\n#variable_conflict use_column\nDECLARE\n    v_status public.sessions.status%TYPE := sessiondb.session_status(\n        p_status, EXISTS (SELECT FROM public.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) p_status));\nBEGIN\n    UPDATE public.sessions AS s\n       SET status = v_status\n     WHERE s.id OPERATOR(pg_catalog.=) p_session_id\n    -- not s.title: where there is no such column, that would call a function title(sessions) that somebody made\n    RETURNING s.id, s.org_id, s.course_id, pg_catalog.to_jsonb(s.*) OPERATOR(pg_catalog.->>) ''title''::pg_catalog.text, s.status::pg_catalog.text\n         INTO id, org_id, course_id, title, status;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''no_data_found'',\n            MESSAGE = pg_catalog.format(''there is no session with the id %s'', p_session_id),\n            HINT = ''List them with: sessiondb session list'';\n    END IF;\n    SELECT l.enrollments, l.submissions\n      INTO linkable_enrollments, linkable_submissions\n      FROM sessiondb.count_linkable(course_id) AS l;\n    RETURN NEXT;\nEND\n", "kind": "f", "names": ["p_session_id", "p_status", "id", "org_id", "course_id", "title", "status", "linkable_enrollments", "linkable_submissions"], "types": ["uuid", "text", "uuid", "uuid", "uuid", "text", "text", "int8", "int8"], "result": "record", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "v", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'org_of_slug', 'text', '0009', 'created', '2b3aa6087023525e9ef3d6ad6fba6b149e15083c3694e19d7d17b8ac0e8eb660', '{"set": false, "body": "\n/*\n * The id of the organisation with this slug; raises no_data_found when there is none. OPERATOR(pg_catalog.=): a slug\n * may be varchar, and the catalog has no \"=\" for varchar and text.\n */\nDECLARE\n    -- not o.slug: where there is no such column, that would call a function slug(orgs) that somebody made\n    v_id pg_catalog.uuid := (SELECT o.id FROM public.orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug);\nBEGIN\n    IF v_id IS NULL THEN\n        RAISE EXCEPTION USING\n            ERRCODE = ''no_data_found'',\n            MESSAGE = pg_catalog.format(''there is no organisation with the slug \"%s\"'', p_slug),\n            HINT = ''Create it with: sessiondb org create --name NAME --slug SLUG'';\n    END IF;\n    RETURN v_id;\nEND\n", "kind": "f", "names": ["p_slug"], "types": ["text"], "result": "uuid", "strict": false, "defaults": null, "language": "plpgsql", "parallel": "u", "settings": null, "volatility": "s", "security definer": false}', NULL);
INSERT INTO sessiondb.objects VALUES ('function', 'sessiondb', 'count_linkable', 'uuid', '0009', 'created', '4911a2beefb49f5f12bb1dab24c81c4dd68e9810dde5dddbd7d67d2b079b398e', '{"set": true, "body": "\n/*\n * How many unlinked rows of the course a backfill would link now: those whose user is a member of an organisation with\n * an active session of the course.\n */\nWITH entitled AS MATERIALIZED (\n    SELECT DISTINCT m.user_id\n      FROM public.sessions AS s\n      JOIN public.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id\n     WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id\n       AND s.status OPERATOR(pg_catalog.=) ''active''\n)\nSELECT (SELECT pg_catalog.count(*)\n          FROM public.enrollments AS e\n         WHERE e.session_id IS NULL\n           AND e.course_id OPERATOR(pg_catalog.=) p_course_id\n           AND e.user_id OPERATOR(pg_catalog.=) ANY (SELECT t.user_id FROM entitled AS t)),\n       (SELECT pg_catalog.count(*)\n          FROM public.submissions AS b\n         WHERE b.session_id IS NULL\n           AND b.user_id OPERATOR(pg_catalog.=) ANY (SELECT t.user_id FROM entitled AS t)\n           AND (SELECT h1.course_id FROM (SELECT course_id, id FROM public.exercises) AS h1 WHERE h1.id OPERATOR(pg_catalog.=) b.exercise_id)::pg_catalog.uuid OPERATOR(pg_catalog.=) p_course_id)\n", "kind": "f", "names": ["p_course_id", "enrollments", "submissions"], "types": ["uuid", "int8", "int8"], "result": "record", "strict": false, "defaults": null, "language": "sql", "parallel": "u", "settings": null, "volatility": "s", "security definer": false}', NULL);
ALTER TABLE ONLY public.courses
    ADD CONSTRAINT courses_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.enrollments
    ADD CONSTRAINT enrollments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.enrollments
    ADD CONSTRAINT enrollments_user_id_course_id_key UNIQUE (user_id, course_id);
ALTER TABLE ONLY public.exercises
    ADD CONSTRAINT exercises_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.org_members
    ADD CONSTRAINT org_members_pkey PRIMARY KEY (org_id, user_id);
ALTER TABLE ONLY public.orgs
    ADD CONSTRAINT orgs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orgs
    ADD CONSTRAINT orgs_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY sessiondb._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY sessiondb._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);
ALTER TABLE ONLY sessiondb._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY sessiondb.backfill_progress
    ADD CONSTRAINT backfill_progress_pkey PRIMARY KEY (turn);
ALTER TABLE ONLY sessiondb.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY sessiondb.migration_content
    ADD CONSTRAINT migration_content_pkey PRIMARY KEY (migration_id);
ALTER TABLE ONLY sessiondb.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (kind, parent, name);
CREATE INDEX enrollments_session_id_idx ON public.enrollments USING btree (session_id) WHERE (session_id IS NOT NULL);
COMMENT ON INDEX public.enrollments_session_id_idx IS 'The enrolments of a session, for the dashboard and for deleting a session (sessiondb)';
CREATE INDEX org_members_user_id_org_id_idx ON public.org_members USING btree (user_id, org_id);
COMMENT ON INDEX public.org_members_user_id_org_id_idx IS 'The organisations of a user (sessiondb)';
CREATE INDEX sessions_active_org_id_course_id_idx ON public.sessions USING btree (org_id, course_id, created_at DESC NULLS LAST, id DESC) WHERE (status = 'active'::text);
COMMENT ON INDEX public.sessions_active_org_id_course_id_idx IS 'The newest active session of an organisation in a course (sessiondb)';
CREATE INDEX submissions_session_id_idx ON public.submissions USING btree (session_id) WHERE (session_id IS NOT NULL);
COMMENT ON INDEX public.submissions_session_id_idx IS 'The submissions of a session, for the dashboard and for deleting a session (sessiondb)';
CREATE TRIGGER zzz_sessiondb_check_enrollment BEFORE INSERT ON public.enrollments FOR EACH ROW WHEN ((new.session_id IS NOT NULL)) EXECUTE FUNCTION sessiondb.check_session('enrollments');
COMMENT ON TRIGGER zzz_sessiondb_check_enrollment ON public.enrollments IS 'Refuses a session that does not fit the new row (sessiondb)';
CREATE TRIGGER zzz_sessiondb_check_enrollment_update BEFORE UPDATE OF session_id ON public.enrollments FOR EACH ROW WHEN (((new.session_id IS NOT NULL) AND ((old.session_id IS NULL) OR (new.session_id <> old.session_id)))) EXECUTE FUNCTION sessiondb.check_session('enrollments');
COMMENT ON TRIGGER zzz_sessiondb_check_enrollment_update ON public.enrollments IS 'Refuses a change to a session that does not fit the row (sessiondb)';
CREATE TRIGGER zzz_sessiondb_check_submission BEFORE INSERT ON public.submissions FOR EACH ROW WHEN ((new.session_id IS NOT NULL)) EXECUTE FUNCTION sessiondb.check_session('submissions');
COMMENT ON TRIGGER zzz_sessiondb_check_submission ON public.submissions IS 'Refuses a session that does not fit the new row (sessiondb)';
CREATE TRIGGER zzz_sessiondb_check_submission_update BEFORE UPDATE OF session_id ON public.submissions FOR EACH ROW WHEN (((new.session_id IS NOT NULL) AND ((old.session_id IS NULL) OR (new.session_id <> old.session_id)))) EXECUTE FUNCTION sessiondb.check_session('submissions');
COMMENT ON TRIGGER zzz_sessiondb_check_submission_update ON public.submissions IS 'Refuses a change to a session that does not fit the row (sessiondb)';
CREATE TRIGGER zzz_sessiondb_link_enrollment BEFORE INSERT ON public.enrollments FOR EACH ROW WHEN ((new.session_id IS NULL)) EXECUTE FUNCTION sessiondb.link_enrollment();
COMMENT ON TRIGGER zzz_sessiondb_link_enrollment ON public.enrollments IS 'Links a new row to the session of its student in its course (sessiondb)';
CREATE TRIGGER zzz_sessiondb_link_submission BEFORE INSERT ON public.submissions FOR EACH ROW WHEN ((new.session_id IS NULL)) EXECUTE FUNCTION sessiondb.link_submission();
COMMENT ON TRIGGER zzz_sessiondb_link_submission ON public.submissions IS 'Links a new row to the session of its student in its course (sessiondb)';
ALTER TABLE ONLY public.enrollments
    ADD CONSTRAINT enrollments_course_id_fkey FOREIGN KEY (course_id) REFERENCES public.courses(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.enrollments
    ADD CONSTRAINT enrollments_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE SET NULL;
COMMENT ON CONSTRAINT enrollments_session_id_fkey ON public.enrollments IS 'A session that is deleted leaves its rows without one (sessiondb)';
ALTER TABLE ONLY public.enrollments
    ADD CONSTRAINT enrollments_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.exercises
    ADD CONSTRAINT exercises_course_id_fkey FOREIGN KEY (course_id) REFERENCES public.courses(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.org_members
    ADD CONSTRAINT org_members_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.org_members
    ADD CONSTRAINT org_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_course_id_fkey FOREIGN KEY (course_id) REFERENCES public.courses(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_exercise_id_fkey FOREIGN KEY (exercise_id) REFERENCES public.exercises(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE SET NULL;
COMMENT ON CONSTRAINT submissions_session_id_fkey ON public.submissions IS 'A session that is deleted leaves its rows without one (sessiondb)';
ALTER TABLE ONLY public.submissions
    ADD CONSTRAINT submissions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
REVOKE ALL ON FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.backfill(IN p_session_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.backfill_counts() FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.backfill_partitions() FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.backfill_remarks(p_session_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.backfill_step(p_rows integer) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.begin_backfill(IN p_session_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.check_session() FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.choose_for_pages(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, OUT scanned bigint, OUT row_ids tid[], OUT session_ids uuid[], OUT reasons jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.compile(p_source text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.count_linkable(p_course_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.create_org(p_name text, p_slug text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.create_session(p_org_slug text, p_course_id uuid, p_created_by uuid, p_title text, p_status text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.install(IN p_kind text, IN p_parent text, IN p_name name, IN p_arguments text, IN p_migration text, IN p_source text, IN p_comment text, IN p_public boolean, IN p_where text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.keep_batch(p_turn bigint, p_to_row tid, p_scanned bigint, p_linked bigint, p_skipped bigint, p_reasons jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.link_batch(p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, p_mode text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.link_enrollment() FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.link_submission() FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.lock_tables(IN p_mode text, VARIADIC p_tables regclass[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.next_batch(p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.org_of_slug(p_slug text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.require_trusted() FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.run_on_platform(IN p_statement text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.save_link() FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.session_status(p_status text, p_is_used boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.set_session_status(p_session_id uuid, p_status text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.start_backfill(IN p_session_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sessiondb.triggers_that_fire() FROM PUBLIC;
REVOKE ALL ON PROCEDURE sessiondb.withdraw_default_grants() FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.check_session()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT or UPDATE on enrollments or submissions, only if the client gave a session: it must be of the row's
 * course, and the row's user must be a member of its organisation. Otherwise students could put themselves on the
 * dashboard of another organisation. The status does not matter: staff may place a student by hand in a session that has
 * not begun or has ended. A session that does not exist yet is refused here, because the foreign key is checked only at
 * the end of the statement or transaction, when another role may have created it in any organisation. For the
 * same reason it is locked, as the foreign key will lock it: it could be deleted and created again. While the table
 * is without the key, in the middle of an apply, the row is stored without it.
 *
 * The argument names the table, because TG_TABLE_NAME may be a partition. PL/pgSQL plans only the branch that is taken,
 * so each branch may name columns that the other table does not have; course_of() is compiled as in link_submission.
 *
 * Longer than a screen: what fits, what an apply restores, and the error.
 *
 * The error is the same in all cases: clients that may not read sessions and org_members must not learn by trying
 * whether a session exists, of which course it is, or to which course an exercise leads. SECURITY DEFINER, because they
 * need not have the right to read them.
 *
 * #variable_conflict: a column of the platform may have the name of a variable.
 */
#variable_conflict use_variable
DECLARE
    v_course_id pg_catalog.uuid;
    v_course_before pg_catalog.uuid;
    v_fits boolean;
    v_belongs_to pg_catalog.text;
    v_query pg_catalog.text;
BEGIN
    IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'submissions' THEN
        v_course_id := course_of(NEW);
    ELSE
        v_course_id := NEW.course_id;
    END IF;
    v_fits := EXISTS (
        SELECT FROM (SELECT org_id AS of_org
                       FROM platform.sessions
                      WHERE id OPERATOR(pg_catalog.=) NEW.session_id
                        AND course_id OPERATOR(pg_catalog.=) v_course_id
                        -- citus: /*
                        FOR KEY SHARE
                        -- citus: */
                    ) AS given
         WHERE EXISTS (SELECT
                         FROM platform.org_members
                        WHERE org_id OPERATOR(pg_catalog.=) given.of_org
                          AND user_id OPERATOR(pg_catalog.=) NEW.user_id));
    -- an apply restores what a rollback saved to a row without a session, though a membership may have ended since
    -- citus: IF NOT v_fits AND TG_OP OPERATOR(pg_catalog.=) 'UPDATE' AND OLD.session_id IS NULL THEN
    -- citus: /*
    IF NOT v_fits AND TG_OP OPERATOR(pg_catalog.=) 'UPDATE' AND OLD.session_id IS NULL AND sessiondb.is_restoring(TG_ARGV[0]) THEN
    -- citus: */
        IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'submissions' THEN
            v_course_before := course_of(OLD);
        ELSE
            v_course_before := OLD.course_id;
        END IF;
        SELECT pg_catalog.concat(org_id, ' ', course_id)
          INTO v_belongs_to
          FROM platform.sessions
         WHERE id OPERATOR(pg_catalog.=) NEW.session_id
           AND coalesce(v_course_id OPERATOR(pg_catalog.=) v_course_before, v_course_id IS NULL AND v_course_before IS NULL)
           -- citus: /*
           FOR KEY SHARE
           -- citus: */
        ;
        IF FOUND THEN
            -- not in the block, which is a subtransaction: it would be planned again for each row
            v_query := sessiondb.query_of_saved_link(TG_ARGV[0], TG_RELID::pg_catalog.regclass, NEW.user_id::pg_catalog.uuid);
            BEGIN
                EXECUTE v_query
                   INTO v_fits
                  USING NEW, NEW.session_id, v_belongs_to, OLD;
            EXCEPTION WHEN undefined_table THEN
                NULL;  -- an apply has just dropped the table
            END;
        END IF;
    END IF;
    IF v_fits IS NOT TRUE THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = pg_catalog.format('session %s does not fit this row of table "%s"', NEW.session_id, TG_ARGV[0]),
            DETAIL = 'There is no such session of the row''s course in an organisation that the row''s user is a member of.',
            HINT = 'Leave session_id out to have the right session found, or give a session of the same course '
                   'in an organisation of the user. A dump of data alone is restored while the triggers are disabled: '
                   'pg_restore --disable-triggers, or ALTER TABLE ... DISABLE TRIGGER USER.',
            -- citus: /*
            -- a snapshot may be older than that table
            SCHEMA = coalesce((SELECT i.platform_schema FROM sessiondb.installation AS i), TG_TABLE_SCHEMA),
            -- citus: */
            TABLE = TG_ARGV[0],
            COLUMN = 'session_id',
            CONSTRAINT = TG_ARGV[0] OPERATOR(pg_catalog.||) '_session_id_coherent';
    END IF;
    -- citus: /*
    IF sessiondb.key_is_to_come(TG_RELID::pg_catalog.regclass) THEN
        RAISE WARNING USING
            MESSAGE = pg_catalog.format('session %s is not stored: table "%s" has no foreign key to sessions now', NEW.session_id, TG_ARGV[0]),
            HINT = 'Run: sessiondb apply. Then store it again.';
        NEW.session_id := OLD.session_id;
    END IF;
    -- citus: */
    RETURN NEW;
END
$function$

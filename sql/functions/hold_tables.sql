CREATE OR REPLACE PROCEDURE sessiondb.hold_tables()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET quote_all_identifiers = off
AS $procedure$
/*
 * Locks the platform's tables that are read, so that no other table gets the name of one before the transaction ends. It is
 * an error if one got another name while this waited for it.
 */
DECLARE
    v_held record;
    v_names text[];
    v_oids oid[];
    v_table text;
    v_prepared text := concat('sessiondb_', gen_random_uuid());
BEGIN
    -- citus: RETURN;
    SELECT h.names, h.oids
      INTO v_names, v_oids
      FROM (SELECT i.platform_schema AS schema, ARRAY(SELECT j.step ->> 'to' FROM jsonb_array_elements(i.course_joins) AS j (step)) AS path,
                   NULL::name[] AS names
              FROM sessiondb.installation AS i) AS p
     CROSS JOIN LATERAL (
{held_tables(p.schema, p.path, p.names)}
           ) AS h;
    FOR v_held IN
        SELECT n.nspname, c.relname
          FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = ANY (v_oids)
         ORDER BY c.relname
    LOOP
        EXECUTE format('PREPARE %I AS SELECT FROM ONLY %I.%I', v_prepared, v_held.nspname, v_held.relname);
        EXECUTE format('DEALLOCATE %I', v_prepared);
    END LOOP;
    SELECT m.name
      INTO v_table
      FROM (
{renamed_meanwhile(v_names, v_oids)}
           ) AS m;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = regexp_replace(v_table || ' was renamed or dropped while this waited for it', E'[{invisible}]', '?', 'g'),
            HINT = 'Run it again.';
    END IF;
    -- nothing keeps another role from creating it
    IF array_position(v_oids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_table',
            MESSAGE = regexp_replace(format('table %s does not exist', v_names[array_position(v_oids, NULL)]), E'[{invisible}]', '?', 'g'),
            HINT = 'See: sessiondb check';
    END IF;
END
$procedure$

CREATE OR REPLACE PROCEDURE sessiondb.require_trusted()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Locks the tables that are read, and raises an error if schema sessiondb contains objects of a role that is not trusted, if a schema in the search_path or a
 * table that is read belongs to one, if a column that is read is missing (s.status would then call a function status(s) of
 * any role), or if Citus manages a table, whose pages are then on other nodes. A role that calls backfill() or
 * explain_link() trusts the owner of backfill().
 */
DECLARE
    v_owner oid := (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'sessiondb.backfill(uuid)'::regprocedure);
    v_found text := (
        SELECT string_agg(format('%s (role %s)', s.object, s.role), ', ')
          FROM (
{strangers(v_owner)}
               ) AS s);
    v_path name[];
    v_names text[];
    v_oids oid[];
    v_held record;
    v_column text;
    v_table text;
BEGIN
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('schema sessiondb is open to roles that are not trusted: %s', v_found),
            HINT = 'See: sessiondb check';
    END IF;
    -- that of the caller, under which the platform's own code runs
    SET LOCAL search_path TO DEFAULT;
    v_path := pg_catalog.current_schemas(false);
    SET LOCAL search_path TO pg_catalog, pg_temp;
    SELECT format('schema %I of role %I is in the search_path of this connection', n.nspname, pg_get_userbyid(n.nspowner))
      INTO v_found
      FROM pg_namespace AS n
      JOIN sessiondb.installation AS i ON i.platform_schema <> n.nspname
     CROSS JOIN LATERAL (SELECT coalesce(({linked_owner()}), v_owner) AS owner) AS w
     WHERE n.nspname = ANY (v_path)
       AND n.nspowner NOT IN (
{trusted_roles(w.owner)}
           )
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = v_found || ': an unqualified name in the platform''s own code may mean an object of that role',
            HINT = 'Connect with a search_path without it. See: sessiondb check search_path';
    END IF;
    -- until the transaction ends, no other table gets the name of one
    -- citus: /*
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
        EXECUTE format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', v_held.nspname, v_held.relname);
    END LOOP;
    SELECT m.name
      INTO v_table
      FROM (
{renamed_meanwhile(v_names, v_oids)}
           ) AS m;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = v_table || ' was renamed or dropped while this waited for it',
            HINT = 'Run it again.';
    END IF;
    -- citus: */
    SELECT format('table %s belongs to role %I', t.object, pg_get_userbyid(t.relowner))
      INTO v_table
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
{tables_of_others(i.platform_schema)}
           ) AS t
    UNION ALL
    -- on the path to the course, where no foreign key shows that it is the right one
    SELECT format('table %s belongs to role %I', h."to", pg_get_userbyid(c.relowner))
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
            SELECT j.step ->> 'to' AS "to",
                   lag(j.step ->> 'to', 1, format('%I.submissions', i.platform_schema)) OVER (ORDER BY j.place) AS "from"
              FROM jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
           ) AS h
      JOIN pg_class AS c ON c.oid = to_regclass(h."to")
     WHERE c.relowner NOT IN (
{trusted_roles(v_owner)}
           )
       AND NOT EXISTS (
            SELECT FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conrelid = to_regclass(h."from") AND k.confrelid = c.oid)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = v_table || ', which may have created it in the place of another one',
            HINT = 'See: sessiondb check table_owners';
    END IF;
    SELECT concat_ws('.', i.platform_schema, r.table_name, r.column_name)
      INTO v_column
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
            SELECT c.table_name, c.column_name
              FROM (
{rule_columns()}
                   ) AS c (table_name, column_name, kind)
            UNION ALL
            SELECT 'submissions', c.name FROM jsonb_array_elements_text(i.course_joins -> 0 -> 'columns') AS c (name)
           ) AS r (table_name, column_name)
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
    SELECT c.name
      INTO v_table
      FROM sessiondb.installation AS i
      JOIN (
{citus_tables()}
           ) AS c ON c.schema = i.platform_schema
     -- citus: WHERE false
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'feature_not_supported',
            MESSAGE = format('table %s is managed by Citus, for which sessiondb was not applied here', v_table),
            HINT = 'See: sessiondb check, then sessiondb apply';
    END IF;
END
$procedure$

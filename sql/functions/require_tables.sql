CREATE OR REPLACE PROCEDURE sessiondb.require_tables()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Raises an error if a table that is read, or the schema of a partition, belongs to a role that the owner of this procedure
 * does not trust, if a column that is read is missing (s.status would then call a function status(s) of any role), or if Citus
 * manages a table, whose pages are then on other nodes.
 */
DECLARE
    v_owner oid := (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'sessiondb.require_tables()'::regprocedure);
    v_column text;
    v_table text;
BEGIN
    SELECT format('table %s belongs to role %I', t.object, pg_get_userbyid(t.relowner))
      INTO v_table
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
{tables_of_others(i.platform_schema)}
           ) AS t
    UNION ALL
    SELECT format('table %s belongs to role %I', h.object, pg_get_userbyid(h.relowner))
      FROM (
{path_of_others(v_owner)}
           ) AS h
    UNION ALL
    SELECT format('schema %I of a partition belongs to role %I', p.nspname, pg_get_userbyid(p.nspowner))
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
{schemas_of_partitions(i.platform_schema)}
           ) AS p
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = regexp_replace(v_table || ', which may have created it in the place of another one', E'[{invisible}]', '?', 'g'),
            HINT = 'See: sessiondb check table_owners course_path';
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
            MESSAGE = regexp_replace(format('column %s does not exist', v_column), E'[{invisible}]', '?', 'g'),
            HINT = 'See: sessiondb check';
    END IF;
    -- in pg_catalog no other role can create an operator or a type in the place of one that is moved or dropped
    PERFORM set_config('sessiondb.schema', i.platform_schema, true), set_config('sessiondb.course_path', i.course_path, true)
       FROM sessiondb.installation AS i
      WHERE i.course_joins::text ~ E'OPERATOR\\((?!pg_catalog\\.)';
    IF FOUND THEN
        PERFORM FROM sessiondb.installation AS i JOIN ({course_paths()}) AS p ON p.pieces = i.course_pieces;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = 'the path from submissions to courses no longer leads as it did when sessiondb was installed',
                HINT = 'See: sessiondb check course_path';
        END IF;
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
            MESSAGE = regexp_replace(format('table %s is managed by Citus, for which sessiondb was not applied here', v_table),
                                     E'[{invisible}]', '?', 'g'),
            HINT = 'See: sessiondb check, then sessiondb apply';
    END IF;
END
$procedure$

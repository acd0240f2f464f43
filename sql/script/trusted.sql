DO $trusted$
DECLARE
    v_owner oid := (
        SELECT o.relowner
          FROM pg_namespace AS n
         CROSS JOIN LATERAL (
{table_owner(n.oid)}
               ) AS o
         WHERE n.nspname = current_setting('sessiondb.schema'));
    v_schema oid;
    v_found text;
    v_granted text;
BEGIN
    -- in one statement: another role may rename its schema to and fro between two, and no lock prevents that
    SELECT n.oid,
           regexp_replace(string_agg(format('%s (role %s)', s.object, s.role), ', ')
                          FILTER (WHERE s.object IS NOT NULL AND s.granted IS NULL), E'[{invisible}]', '?', 'g'),
           regexp_replace(string_agg(format('REVOKE %s FROM %s CASCADE', s.granted, s.role), '; ')
                          FILTER (WHERE s.granted IS NOT NULL), E'[{invisible}]', '?', 'g')
      INTO v_schema, v_found, v_granted
      FROM pg_namespace AS n
      LEFT JOIN (
{strangers(v_owner)}
           ) AS s ON s.granted IS NULL OR NOT $1
     WHERE n.nspname = 'sessiondb'
     GROUP BY n.oid;
    IF NOT $1 THEN
        PERFORM set_config('sessiondb.schema_oid', coalesce(v_schema::text, '0'), false),
                set_config('sessiondb.table_owner', coalesce(v_owner::text, ''), false);
    ELSIF v_schema IS NULL THEN
        RAISE EXCEPTION 'schema sessiondb was renamed or dropped while it was created';
    END IF;
    -- if no schema is given, a role could create a table of that name in schema public in order to be trusted
    IF NOT $1
        AND EXISTS (SELECT FROM pg_class AS c WHERE c.relname = 'enrollments' AND c.relkind IN ('r', 'p')
                    AND c.relpersistence <> 't' AND NOT ({is_sole_owner(c.relowner)})) THEN
        RAISE EXCEPTION USING
            MESSAGE = 'tables named enrollments belong to several roles in this database',
            HINT = 'Write the script with --schema and the name of the schema that holds those of the platform.';
    END IF;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            MESSAGE = format('schema sessiondb is open to roles that are not trusted, so nothing there is read or run: %s', v_found),
            HINT = 'Inspect these objects, then drop them. A function that was given to the owner of the tables could act as that role.';
    END IF;
    IF v_granted IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'roles that are not trusted may create objects in schema sessiondb', HINT = v_granted;
    END IF;
    IF NOT has_schema_privilege(v_schema, 'USAGE') THEN
        RAISE EXCEPTION USING
            MESSAGE = (SELECT format('schema sessiondb belongs to %I, and role %I may not use it', pg_get_userbyid(n.nspowner),
                                     current_user) FROM pg_namespace AS n WHERE n.oid = v_schema),
            HINT = 'Connect as the role that installed sessiondb. To change the owner, see docs/grants.md.';
    END IF;
    -- it stays until the transaction ends
    IF to_regclass('sessiondb.installation') IS NOT NULL THEN
        LOCK TABLE sessiondb.installation IN ACCESS SHARE MODE;
    END IF;
    IF to_regnamespace('sessiondb')::oid IS DISTINCT FROM v_schema THEN
        RAISE EXCEPTION 'schema sessiondb was created or replaced meanwhile';
    END IF;
END
$trusted$;

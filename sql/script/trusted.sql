DO $trusted$
DECLARE
    v_owner oid := (
        SELECT c.relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = current_setting('sessiondb.schema') AND c.relname = 'enrollments');
    v_found text := (
        SELECT string_agg(format('%s (role %s)', s.object, s.role), ', ')
          FROM (
{strangers(v_owner)}
               ) AS s
         WHERE NOT (s.may_create AND $1));
BEGIN
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            MESSAGE = format('schema sessiondb is open to roles that are not trusted, so nothing there is read or run: %s', v_found),
            HINT = 'Inspect these objects, then drop them or give them to the owner of the platform''s tables.';
    END IF;
END
$trusted$;

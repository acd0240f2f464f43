-- The adopted triggers of the platform can be restored. The setting sessiondb.undone holds the numbers of the migrations to
-- be undone.
SELECT 'replaced_triggers' AS "check", 'error' AS level,
       format('trigger %I on %s', o.name, c.oid::regclass) AS object,
       f.detail, f.fix
  FROM sessiondb.objects AS o
  JOIN pg_namespace AS n ON n.nspname !~ '^pg_temp_'
  JOIN pg_class AS c ON c.relnamespace = n.oid AND o.parent = ({table_in_objects(n.nspname, c.relname)})
 -- the function as pg_get_triggerdef() writes it, quoted or not
 CROSS JOIN LATERAL substring(o.previous_definition FROM 'EXECUTE FUNCTION ((?:"(?:[^"]|"")*"|[^"(])+)\(') AS called (name)
 CROSS JOIN LATERAL (
        SELECT format('The trigger %I, which was taken over, cannot be restored: its function %s no longer exists.', o.name, called.name) AS detail,
               format('Create that function again, or give up the trigger: DELETE FROM sessiondb.objects '
                      'WHERE kind OPERATOR(pg_catalog.=) ''trigger'' AND parent OPERATOR(pg_catalog.=) %L AND name '
                      'OPERATOR(pg_catalog.=) %L', o.parent, o.name) AS fix
         WHERE to_regprocedure(called.name || '()') IS NULL
        UNION ALL
        SELECT format('The trigger %I, which was taken over, cannot be restored: its function %s belongs to role %I, which may '
                      'have created it in the place of another one.',
                      o.name, called.name, pg_get_userbyid(p.proowner)),
               format('Drop it and create the right one again, or give up the trigger: DELETE FROM sessiondb.objects '
                      'WHERE kind OPERATOR(pg_catalog.=) ''trigger'' AND parent OPERATOR(pg_catalog.=) %L AND name '
                      'OPERATOR(pg_catalog.=) %L', o.parent, o.name)
          FROM pg_proc AS p
          JOIN pg_namespace AS h ON h.nspname = current_setting('sessiondb.schema')
         CROSS JOIN LATERAL (SELECT ({right_owner(h.oid)}) AS owner) AS e
         WHERE p.oid = to_regprocedure(called.name || '()')
           AND p.proowner NOT IN (
{trusted_roles(e.owner)}
               )
        UNION ALL
        SELECT format('The trigger %I, which was taken over, cannot be restored: it uses type %s, which %s role %I, which may '
                      'have created it in the place of another one.',
                      o.name, t.name, CASE WHEN t.in_schema IS NULL THEN 'belongs to' ELSE 'is in a schema of' END, t.role),
               CASE WHEN t.in_schema IS NULL THEN format('Inspect it, then create the right one in its place: DROP TYPE %s', t.name)
                    ELSE format('Inspect it, then take the schema over: ALTER SCHEMA %I OWNER TO %I', t.in_schema, pg_get_userbyid(e.owner)) END
          FROM pg_namespace AS h
         CROSS JOIN LATERAL (SELECT ({right_owner(h.oid)}) AS owner) AS e
         CROSS JOIN LATERAL (
{named_types(o.previous_definition, e.owner)}
               ) AS t
         WHERE h.nspname = current_setting('sessiondb.schema')
        UNION ALL
        SELECT format('The trigger %I, which was taken over, cannot be restored: another trigger has this name.', o.name),
               format('Rename the other one: ALTER TRIGGER %I ON %s RENAME TO %I', o.name, c.oid::regclass, left('new_' || o.name, 63))
          FROM pg_trigger AS t
         WHERE t.tgrelid = c.oid AND t.tgname = o.name
       ) AS f
 WHERE o.kind = 'trigger'
   AND o.origin = 'replaced'
   AND o.migration = ANY (string_to_array(current_setting('sessiondb.undone'), ','))
 ORDER BY object, f.detail

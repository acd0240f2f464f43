-- Grants on the objects that a rollback drops are lost. They are listed before, as statements to run after another apply.
-- Those on the functions of the policies for staff are restored with the policies.
-- The setting sessiondb.undone holds the numbers of the migrations to be undone.
WITH undone AS (
    SELECT string_to_array(current_setting('sessiondb.undone'), ',') AS migrations
),
dropped (place, name, columns, owner, acl) AS (
    SELECT 1, format('SCHEMA %I', n.nspname), '', n.nspowner, n.nspacl
      FROM undone AS u
      JOIN pg_namespace AS n ON n.nspname = 'sessiondb'
     WHERE '0001' = ANY (u.migrations)
    UNION ALL
    SELECT 2, format('TABLE sessiondb.%I', c.relname), '', c.relowner, c.relacl
      FROM undone AS u
      JOIN ({objects}) AS o (kind, parent, name, arguments, migration, found_migration, sha256) ON o.kind = 'table'
          AND o.migration = ANY (u.migrations)
      JOIN pg_class AS c ON c.relnamespace = to_regnamespace('sessiondb') AND c.relname = o.name
    UNION ALL
    SELECT 3, format('ROUTINE %s', format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes))), '', p.proowner, p.proacl
      FROM undone AS u
      JOIN sessiondb.objects AS o ON o.kind = 'function' AND o.migration = ANY (u.migrations) AND o.name NOT IN ({functions_of_policies()})
      JOIN pg_namespace AS n ON n.nspname = CASE o.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE o.parent END
      JOIN pg_proc AS p ON p.pronamespace = n.oid AND p.proname = o.name AND oidvectortypes(p.proargtypes) = o.arguments
     -- one of the platform's that was replaced keeps them
     WHERE NOT (o.origin = 'replaced' AND coalesce(starts_with(o.previous_definition, 'CREATE'), false))
    UNION ALL
    SELECT 4, format('TABLE %s', c.oid::regclass), format(' (%I)', a.attname), c.relowner, a.attacl
      FROM undone AS u
      JOIN sessiondb.objects AS o ON o.kind = 'column' AND o.origin = 'created' AND o.migration = ANY (u.migrations)
      JOIN pg_namespace AS n ON n.nspname = current_setting('sessiondb.schema')
      JOIN pg_class AS whole ON whole.relnamespace = n.oid AND whole.relname = o.parent
     CROSS JOIN LATERAL ({with_partitions(whole.oid)}) AS node
      JOIN pg_class AS c ON c.oid = node.relid
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = o.name AND NOT a.attisdropped
),
granted AS (
    SELECT d.place, d.name, a.grantee, string_agg(a.privilege_type || d.columns, ', ' ORDER BY a.privilege_type) AS privileges
      FROM dropped AS d
     CROSS JOIN LATERAL aclexplode(d.acl) AS a
     WHERE a.grantee <> d.owner AND (a.grantee <> 0 OR d.columns <> '')
     GROUP BY d.place, d.name, a.grantee
),
-- roles with the same grants, as those of a hosted backend
alike AS (
    SELECT string_agg(CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.grantee)) END,
                      ', ' ORDER BY pg_get_userbyid(r.grantee)) AS roles,
           CASE count(*) WHEN 1 THEN 'role' ELSE 'roles' END AS noun, CASE count(*) WHEN 1 THEN 'has' ELSE 'have' END AS verb,
           r.names, r.privileges
      FROM (SELECT g.grantee, array_agg(g.name ORDER BY g.place, g.name) AS names,
                   array_agg(g.privileges ORDER BY g.place, g.name) AS privileges
              FROM granted AS g
             GROUP BY g.grantee) AS r
     GROUP BY r.names, r.privileges
)
SELECT 'lost_grants' AS "check", 'warning' AS level, a.noun || ' ' || a.roles AS object,
       format('The rollback drops objects on which %s %s %s grants; these grants are lost.', a.noun, a.roles, a.verb) AS detail,
       'After another apply, run: ' || (SELECT string_agg(format('GRANT %s ON %s TO %s', g.privileges, g.name, a.roles), '; ' ORDER BY g.turn)
                                          FROM unnest(a.names, a.privileges) WITH ORDINALITY AS g (name, privileges, turn)) AS fix
  FROM alike AS a
 ORDER BY a.roles

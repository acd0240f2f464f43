-- The statements that give the owner of schema sessiondb what another role has just created there: a superuser that applies or rolls
-- back for the owner, or a member of the role that is the owner. Trigger functions would else run with the rights of that role, and
-- note_change() could not write to a table of it. Only what sessiondb creates: another function could act as its new owner.
SELECT 0 AS place, format('ALTER %s OWNER TO %I', o.object, pg_get_userbyid(n.nspowner)) AS statement
  FROM pg_namespace AS n
 CROSS JOIN LATERAL (
        SELECT format('TABLE %s', c.oid::regclass) AS object, c.relowner AS owner
          FROM pg_class AS c
         WHERE c.relnamespace = n.oid AND c.relkind = 'r'
        UNION ALL
        SELECT format('ROUTINE %s', p.oid::regprocedure), p.proowner
          FROM pg_proc AS p
          JOIN sessiondb.objects AS f
            ON f.kind = 'function' AND f.name = p.proname AND f.arguments = oidvectortypes(p.proargtypes)
         WHERE p.pronamespace = CASE f.parent WHEN 'sessiondb' THEN n.oid ELSE to_regnamespace(quote_ident(current_setting('sessiondb.schema'))) END
       ) AS o
 WHERE n.nspname = 'sessiondb'
   AND pg_get_userbyid(o.owner) = current_user
   AND o.owner <> n.nspowner
   AND {may_set_role(n.nspowner)}

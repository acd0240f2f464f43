-- Tables with the names of things of a kind ($1, as for names_in) that the role may not read at all, or of which row level
-- security may hide rows from it.
SELECT format('%I.%I', n.nspname, c.relname) AS name, f.may_read
  FROM (SELECT k.confrelid AS relid
          FROM pg_constraint AS k
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'user_id' AND k.conkey = ARRAY[a.attnum]
         WHERE $1 = 'user' AND k.contype = 'f'
           AND k.conrelid = to_regclass(format('%I.org_members', current_setting('sessiondb.schema')))
        UNION
        SELECT t.relation FROM sessiondb.names_in($1) AS t) AS t
  JOIN pg_class AS c ON c.oid = t.relid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
        SELECT has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') AS may_read) AS f
 WHERE NOT f.may_read OR row_security_active(c.oid)
 ORDER BY name

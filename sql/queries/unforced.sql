-- Statements, as text, to put before and after one that must see every row of the tables $1 (oids) although row level security
-- is forced for their owner; NULL if it does anyway. Other sessions wait for the transaction meanwhile. The guard, after the locks,
-- is an error if it was forced since.
SELECT format(' CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%s]::pg_catalog.regclass[]); ', string_agg(quote_literal(f.name), ', '))
       || string_agg(format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY; ', f.name), '') AS before,
       ' SET CONSTRAINTS ALL IMMEDIATE; ' || string_agg(format('ALTER TABLE %s FORCE ROW LEVEL SECURITY; ', f.name), '') AS after,
       format('IF EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.oid[])'
              ' AND c.relforcerowsecurity AND pg_catalog.row_security_active(c.oid)) THEN'
              ' RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'','
              ' MESSAGE = ''row level security was forced for the owner meanwhile'', HINT = ''Run it again.''; END IF', $1) AS guard
  FROM (
        SELECT format('%I.%I', n.nspname, c.relname) AS name
          FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1) AND c.relforcerowsecurity AND row_security_active(c.oid)
         ORDER BY c.oid
       ) AS f

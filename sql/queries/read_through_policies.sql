-- The tables that function $1 (an oid) with a parsed body reads, and those that the policies of these, and views with the rights of
-- who reads them, read in turn: a policy for one of them that calls the function would call itself.
WITH RECURSIVE read (relid) AS (
    SELECT d.refobjid FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1 AND d.refclassid = 'pg_class'::regclass
     UNION
    SELECT d.refobjid
      FROM read AS r
      JOIN pg_class AS c ON c.oid = r.relid
     CROSS JOIN LATERAL (
            SELECT 'pg_policy'::regclass AS classid, p.oid FROM pg_policy AS p WHERE p.polrelid = c.oid AND c.relrowsecurity
            UNION ALL
            SELECT 'pg_rewrite'::regclass, w.oid
              FROM pg_rewrite AS w
             WHERE w.ev_class = c.oid AND c.relkind = 'v'
               AND EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
           ) AS f
      JOIN pg_depend AS d ON d.classid = f.classid AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
)
SELECT r.relid FROM read AS r

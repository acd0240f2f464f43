-- The tables that function $1 (an oid) with a parsed body reads, and those that the policies of these read in turn: a policy for one
-- of them that calls the function would call itself.
WITH RECURSIVE read (relid) AS (
    SELECT d.refobjid FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1 AND d.refclassid = 'pg_class'::regclass
     UNION
    SELECT d.refobjid
      FROM read AS r
      JOIN pg_class AS c ON c.oid = r.relid AND c.relrowsecurity
      JOIN pg_policy AS p ON p.polrelid = c.oid
      JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
)
SELECT r.relid FROM read AS r

-- The statement that locks the tables of the rules in schema $1, those named in $2 (text[], on the path to the course) and those with
-- the names of users, so that they keep their names until the transaction ends; with their names and OIDs in its snapshot, NULL for one
-- that does not exist; no statement if there are none. Of the tables of the rules only those named in $3, if that is not NULL.
--
-- PREPARE locks whatever it names, also a view, a materialized view or a foreign table, without a right on it. It runs nothing.
-- One that was interrupted leaves its name to the session.
SELECT 'PREPARE ' || min(g.name) || ' AS SELECT FROM '
    || string_agg(concat('ONLY ', h.name, ' AS t', h.oid), ', ' ORDER BY h.name) FILTER (WHERE h.oid IS NOT NULL)
           || '; DEALLOCATE ' || min(g.name) AS statement,
       array_agg(h.name) AS names, array_agg(h.oid) AS oids
  FROM (
        SELECT concat(quote_ident($1), '.', t.name) AS name, c.oid
          FROM unnest('{orgs,org_members,courses,sessions,enrollments,submissions}'::name[]) AS t (name)
          LEFT JOIN pg_class AS c ON c.relname = t.name AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = $1)
         WHERE coalesce(t.name = ANY ($3), true)
        UNION
        SELECT p.name, r.oid
          FROM unnest($2) AS p (name)
          LEFT JOIN (SELECT c.oid, concat(quote_ident(n.nspname), '.', quote_ident(c.relname)) AS name
                       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace) AS r ON r.name = p.name
        UNION
        SELECT concat(quote_ident(n.nspname), '.', quote_ident(c.relname)), c.oid
          FROM (
{tables_with_names($1)}
               ) AS u
          JOIN pg_class AS c ON c.oid = u.oid
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE coalesce('org_members' = ANY ($3), true)
       ) AS h
 CROSS JOIN (SELECT concat('sessiondb_', replace(gen_random_uuid()::text, '-', '')) AS name) AS g
 WHERE h.oid IS NULL OR has_schema_privilege((SELECT c.relnamespace FROM pg_class AS c WHERE c.oid = h.oid), 'USAGE')

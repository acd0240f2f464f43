-- The facts in the catalogs about the objects {wanted} (kind, parent, name, arguments), one row for each that exists. They
-- are the same on another server, in another schema, without a comment and after pg_dump. is_ours: by its comment. class,
-- oid and place are as in pg_description.
--
-- The parent of a column, constraint, index, trigger or policy is its table in the platform's schema; that of a table or
-- function is the schema, "platform" for the platform's.
--
-- {kinds} are the queries of sql/facts/ of the kinds that are wanted: each takes its time to plan.
WITH platform AS (
    SELECT c.oid, c.relname
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND c.relkind IN ('r', 'p')
)
SELECT w.kind, w.parent, w.name, f.facts, coalesce(c.comment LIKE '%(sessiondb)', false) AS is_ours, c.comment, f.class, f.oid, f.place
  FROM {wanted} AS w (kind, parent, name, arguments)
 CROSS JOIN LATERAL (
        {kinds}
       ) AS f (facts, class, oid, place)
 CROSS JOIN LATERAL (
        SELECT (SELECT d.description FROM pg_description AS d
                 WHERE d.classoid = f.class AND d.objoid = f.oid AND d.objsubid = f.place) AS comment
       ) AS c

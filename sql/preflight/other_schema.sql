-- Before the first apply: the schema is the one that has the tables of the platform. If another has most of them, it was not
-- named, and what else preflight finds follows from that.
WITH required AS (
    SELECT DISTINCT r.name FROM ({rule_columns()}) AS r (name, column_name, kind)
),
holder AS (
    SELECT n.nspname,
           -- a line break would begin another fix
           regexp_replace(n.nspname, E'[{invisible}]', '?', 'g') AS shown,
           array_agg(DISTINCT c.relname ORDER BY c.relname) AS names,
           -- another role could have created it, or one of the tables, in order to be proposed
           ' of role ' || string_agg(DISTINCT quote_ident(o.rolname), ', ') AS of_role,
           bool_or(c.relname = 'enrollments') AS has_enrollments
      FROM required AS r
      JOIN pg_class AS c ON c.relname = r.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_roles AS o ON o.oid IN (n.nspowner, c.relowner) AND o.oid NOT IN (
{trusted_roles(NULL::oid)}
           )
     WHERE c.relpersistence = 'p'
     GROUP BY n.oid
)
SELECT 'other_schema' AS "check", 'error' AS level, format('schema %I', h.nspname) AS object,
       format('Schema "%s" lacks tables of the platform: %s; schema "%s"%s has %s.', h.nspname, l.names, o.nspname, o.of_role,
              CASE WHEN cardinality(o.names) = (SELECT count(*) FROM required) THEN 'all of them' ELSE array_to_string(o.names, ', ') END) AS detail,
       CASE WHEN o.of_role IS NULL THEN 'Name that schema: ' ELSE 'If that is the platform''s, name it: ' END || 'sessiondb apply --schema '
       || ({shell_word(o.shown)}) AS fix
  FROM pg_namespace AS h
 CROSS JOIN LATERAL (
        SELECT string_agg(r.name, ', ' ORDER BY r.name) AS names, count(*) AS number
          FROM required AS r
         WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = h.oid AND c.relname = r.name)
       ) AS l
  JOIN LATERAL (
        SELECT o.* FROM holder AS o WHERE o.nspname <> h.nspname AND cardinality(o.names) >= 4 ORDER BY o.of_role IS NOT NULL,
               NOT o.has_enrollments, cardinality(o.names) DESC, o.nspname LIMIT 1
       ) AS o ON l.number >= 4
 WHERE h.nspname = current_setting('sessiondb.schema')
   AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relname = 'installation')

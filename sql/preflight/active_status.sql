-- Sessions can have the status active, which links students: the enum has that label, and no CHECK excludes it.
WITH status AS (
    SELECT c.oid AS table_oid, format('%I.%I', n.nspname, c.relname) AS full_name, a.attnum, t.oid AS type_oid, t.typtype
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'sessions' AND c.relkind IN ('r', 'p')
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'status' AND NOT a.attisdropped
      JOIN pg_type AS t ON t.oid = a.atttypid
     WHERE n.nspname = current_setting('sessiondb.schema')
)
SELECT 'active_status' AS "check", 'error' AS level, format('%s.status', f.full_name) AS object, f.detail, f.fix
  FROM (
        SELECT s.full_name,
               format('Enum %s of column status of table %s has no label "active", so no session is ever chosen.',
                      t.name, s.full_name) AS detail,
               CASE
                   WHEN s.renamed IS NULL THEN format('Add it: ALTER TYPE %s ADD VALUE ''active''', t.name)
                   WHEN to_regnamespace('sessiondb') IS NULL THEN format(
                       E'If "%1$s" means it, rename it, also in the application: ALTER TYPE %2$s RENAME VALUE %1$L TO ''active''\n'
                       'Or add it: ALTER TYPE %2$s ADD VALUE ''active''', s.renamed, t.name)
                   ELSE format('Restore its name: ALTER TYPE %s RENAME VALUE %L TO ''active''', t.name, s.renamed)
               END AS fix
          FROM (SELECT s.*, e.renamed
                  FROM status AS s
                 CROSS JOIN LATERAL (
                        SELECT bool_or(e.enumlabel = 'active') AS has_it,
                               -- a single label with this meaning
                               min(e.enumlabel) FILTER (WHERE e.enumlabel ~* '^(activ[ea]*|actif|open(ed)?|ouverte?|'
                                                                      'running|live|started|in_progress|en_cours)$') AS renamed
                          FROM pg_enum AS e WHERE e.enumtypid = s.type_oid
                       ) AS e
                 WHERE s.typtype = 'e' AND e.has_it IS NOT TRUE) AS s
         CROSS JOIN LATERAL format_type(s.type_oid, NULL) AS t (name)
        UNION ALL
        -- a list of values, status IN (...), as PostgreSQL writes it; other conditions cannot be evaluated
        SELECT s.full_name,
               format('Constraint %I of table %s does not allow "active" in column status.', k.conname, s.full_name),
               format('Only sessions with that status are chosen, so add it: ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I CHECK (%s)',
                      s.full_name, k.conname, k.conname,
                          replace(replace(e.rule, 'ARRAY[', 'ARRAY[''active'', '), ' = ANY ', ' OPERATOR(pg_catalog.=) ANY '))
          FROM status AS s
          JOIN pg_constraint AS k ON k.conrelid = s.table_oid AND k.contype = 'c'
         CROSS JOIN LATERAL pg_get_expr(k.conbin, s.table_oid) AS e (rule)
         WHERE e.rule ~ '^\(+status\)?(::text)? = ANY \(+ARRAY\[[^]]*\]\)*(::text\[\])?\)*$'
           AND strpos(e.rule, '''active''::') = 0
       ) AS f
 ORDER BY f.full_name, f.detail

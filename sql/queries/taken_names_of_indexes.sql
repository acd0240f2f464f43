-- The names of indexes that are taken by something else.
-- WITH: platform (preflight/names.sql)
SELECT format('%I.%I', h.nspname, c.relname) AS object,
       format('The name of an index that sessiondb needs, %I, is used by a different object%s.', c.relname, ' of table '
              || t.oid::regclass) AS detail,
       CASE
           WHEN i.indexrelid IS NULL THEN format('Give %I.%I another name.', h.nspname, c.relname)
           ELSE format('Give it another name: ALTER INDEX %I.%I RENAME TO %I', h.nspname, c.relname, left('old_' || c.relname, 63))
       END AS fix
  FROM platform AS h
 CROSS JOIN ({indexes}) AS required (name, table_name, columns, predicate, comment)
  JOIN pg_class AS c ON c.relnamespace = h.oid AND c.relname = required.name
  LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_class AS t ON t.oid = i.indrelid
 WHERE t.relname IS DISTINCT FROM required.table_name
    -- an invalid index is built again, except one of a partitioned table that another session is still building
    OR ((i.indisvalid OR (c.relkind = 'I' AND coalesce(obj_description(c.oid, 'pg_class') NOT LIKE '%(sessiondb)', true)))
        AND EXISTS (
        SELECT FROM ({index(required.name, required.table_name, required.columns, required.predicate,
                            required.comment)}) AS s (statement, locks, scans)
        HAVING count(*) > 0 AND NOT bool_or(s.statement LIKE '%DROP INDEX %'))
        -- ours follows a column that is renamed, which required_columns reports
        AND NOT EXISTS (
        SELECT FROM regexp_split_to_table(required.columns[1], ', ') AS k (name)
         WHERE k.name <> 'session_id'
             AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname = split_part(k.name, ' ', 1))))
UNION ALL
-- those of partitions can be computed
SELECT format('%I.%I', x.schema_name, x.index_name),
       format('The name of an index that sessiondb needs on table %I.%I is used by a different object, of role %I.',
              x.schema_name, x.table_name, pg_get_userbyid(c.relowner)),
       format('Give %I.%I another name.', x.schema_name, x.index_name)
  FROM ({indexes}) AS required (name, table_name, columns, predicate, comment)
 CROSS JOIN LATERAL ({index_places(required.name, required.table_name, required.columns, required.predicate)}) AS x
  JOIN pg_class AS c ON c.relnamespace = to_regnamespace(quote_ident(x.schema_name)) AND c.relname = x.index_name
 WHERE x.level > 0 AND x.index_oid IS NULL AND NOT x.is_served

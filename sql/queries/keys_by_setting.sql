-- The columns of the way to the course whose comparison depends on a setting of the client, such as TimeZone; $1 are its joins (jsonb).
SELECT DISTINCT format('%I.%I.%I', n.nspname, t.relname, k.from_column) AS object,
       format('Column %I of table %s is of type %s, and %I of %s, to which it refers, of type %s: whether they are equal depends '
              'on a setting of the client, such as TimeZone.',
              k.from_column, j.step ->> 'from', format_type(a.atttypid, NULL), k.to_column, j.step ->> 'to', format_type(b.atttypid, NULL)) AS detail,
       format('Give it the same type: ALTER TABLE %s ALTER COLUMN %I TYPE %s', j.step ->> 'from', k.from_column,
              format_type(b.atttypid, b.atttypmod)) AS fix
  FROM jsonb_array_elements($1) AS j (step)
 CROSS JOIN LATERAL ROWS FROM (jsonb_array_elements_text(j.step -> 'columns'),
                               jsonb_array_elements_text(j.step -> 'keys')) AS k (from_column, to_column)
  JOIN pg_class AS t ON t.oid = to_regclass(j.step ->> 'from')
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = k.from_column
  JOIN pg_attribute AS b ON b.attrelid = to_regclass(j.step ->> 'to') AND b.attname = k.to_column
 -- a domain is compared as what it is over
  JOIN pg_amop AS m ON (m.amoplefttype, m.amoprighttype, m.amopstrategy) = (({base_type(b.atttypid)})::regtype, ({base_type(a.atttypid)})::regtype, 3)
  JOIN pg_operator AS o ON o.oid = m.amopopr
  JOIN pg_proc AS p ON p.oid = o.oprcode AND p.provolatile <> 'i'

-- The types of the columns of relation $1, and those of which they consist.
SELECT a.attname, t.type_oid
  FROM pg_attribute AS a
 CROSS JOIN LATERAL (
{parts_of_type(a.atttypid)}
       ) AS t
 WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped

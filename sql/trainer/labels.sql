-- What a column of the platform may say: the labels of its enum, else the texts in its CHECKs, else NULL, for any.
SELECT coalesce(
           (SELECT array_agg(l.enumlabel::text ORDER BY l.enumsortorder) FROM pg_enum AS l WHERE l.enumtypid = a.atttypid),
           (SELECT array_agg(m.label[1])
              FROM pg_constraint AS k
             CROSS JOIN LATERAL regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''', 'g') AS m (label)
             WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum])) AS labels
  FROM pg_attribute AS a
 WHERE a.attrelid = to_regclass(format('%%I.%%I', current_setting('sessiondb.schema'), %(table)s::text)) AND a.attname = %(column)s::text

-- The tables, of those with the names $1 (text[]) and OIDs $2 (oid[]), and their columns, whose name is another one now than in the
-- snapshot of the transaction: these functions see what is committed.
SELECT m.name
  FROM unnest($1, $2) AS h (name, oid)
 CROSS JOIN LATERAL (
        SELECT concat('table ', h.name) AS name
         WHERE to_regclass(h.name)::oid IS DISTINCT FROM h.oid
        UNION ALL
        SELECT concat('column ', h.name, '.', quote_ident(a.attname))
          FROM pg_attribute AS a
         WHERE a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND (pg_identify_object('pg_class'::regclass, h.oid, a.attnum)).identity IS DISTINCT FROM concat(h.name, '.', quote_ident(a.attname))
       ) AS m
 LIMIT 1

-- The tables, of those with the names and OIDs in the arrays, and their columns, whose name is another one now than in the
-- snapshot of the transaction: these functions see what is committed.
SELECT m.name
  FROM unnest(%s::text[], %s::oid[]) AS h (name, oid)
 CROSS JOIN LATERAL (
        SELECT format('table %s', h.name) AS name
         WHERE to_regclass(h.name)::oid IS DISTINCT FROM h.oid
        UNION ALL
        SELECT format('column %s.%I', h.name, a.attname)
          FROM pg_attribute AS a
         WHERE a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND (pg_identify_object('pg_class'::regclass, h.oid, a.attnum)).identity IS DISTINCT FROM format('%s.%I', h.name, a.attname)
       ) AS m
 LIMIT 1

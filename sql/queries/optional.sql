-- The column $2 of row $1 as text; NULL if its table has no such column, because then the name means that of the row around it. Not
-- by to_jsonb() of the row, which fails if any other column has a value that jsonb cannot hold, as json may.
SELECT f.value FROM (SELECT NULL::pg_catalog.text AS $2) AS absent CROSS
    JOIN LATERAL (SELECT $2::pg_catalog.text AS value FROM (SELECT $1.*) AS present) AS f

-- By what a name $1 is sorted: without accents, in lower case, because the database may sort by code, with É after Z. Only where
-- its encoding is UTF8.
pg_catalog.lower(pg_catalog.regexp_replace(pg_catalog.normalize($1, 'NFD'), '[\u0300-\u036f]', '', 'g'))

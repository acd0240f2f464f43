-- The search_path of the schemas in $1 (name[]), without those of temporary objects.
SELECT coalesce(string_agg(concat('"', replace(s.name::text, '"', '""'), '"'), ', ' ORDER BY s.place), '""') AS path
  FROM unnest($1) WITH ORDINALITY AS s (name, place)
 WHERE NOT starts_with(s.name::text, 'pg_temp')

-- The search_path of the schemas in $1 (name[]), with those of temporary objects last.
SELECT concat(string_agg(concat('"', replace(s.name::text, '"', '""'), '", '), '' ORDER BY s.place), 'pg_temp') AS path
  FROM unnest($1) WITH ORDINALITY AS s (name, place)
 WHERE NOT starts_with(s.name::text, 'pg_temp')

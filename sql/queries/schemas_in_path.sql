-- The names of the schemas in search_path $1, in which each is in double quotes. A name may look like what is between two.
SELECT replace(m.name[1], '""', '"') AS name
  FROM regexp_matches($1, '"((?:[^"]|"")+)"', 'g') AS m (name)

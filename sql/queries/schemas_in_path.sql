-- The names of the schemas in search_path $1, in which each is in double quotes, and their places. A name may look like what is
-- between two.
SELECT replace(m.name[1], '""', '"') AS name, m.place
  FROM regexp_matches($1, '"((?:[^"]|"")+)"', 'g') WITH ORDINALITY AS m (name, place)

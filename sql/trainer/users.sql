-- The query of the users with their names, as far as the role may read them: id, name and e-mail or login. The name is
-- the last of the columns of names_in() that is filled, since a person's own name comes after those that log in.
SELECT format('SELECT r.%I::pg_catalog.uuid AS id, coalesce(%s)::pg_catalog.text AS name, coalesce(%s)::pg_catalog.text AS login FROM %s AS r', t.key,
              (SELECT string_agg(format('pg_catalog.btrim(r.%I::pg_catalog.text)', c.name), ', ' ORDER BY c.name IN ('full_name', 'display_name', 'name') DESC, c.place)
                 FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)),
              (SELECT string_agg(format('r.%I::pg_catalog.text', c.name), ', ' ORDER BY c.place)
                 FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)),
              t.relation) AS users
  FROM sessiondb.names_in('user') AS t
 WHERE t.columns IS NOT NULL

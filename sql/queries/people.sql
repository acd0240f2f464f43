-- The query of the users with their names, as far as the role may read them; no row if it may read none:
--
-- login  the first of the columns of names_in() that is filled: those that log in go before a person's own name
-- name   the same the other way round
-- label  all of them with the id, as name_of() has it
--
-- At most 1000 letters of each: a user may have another name of 40 million, which sorts for minutes.
SELECT format('SELECT %1$I::pg_catalog.uuid AS id, coalesce(%2$s) AS login, coalesce(%3$s) AS name,'
              ' CASE WHEN pg_catalog.concat_ws('', '', %2$s) OPERATOR(pg_catalog.<>) '''''
              ' THEN pg_catalog.concat(pg_catalog.concat_ws('', '', %2$s), '' ('', %1$I, '')'') END AS label FROM %4$s',
              t.key, n.names, n.own_names, t.relation) AS people
  FROM sessiondb.names_in('user') AS t
 CROSS JOIN LATERAL (
        SELECT string_agg(format('pg_catalog.left(%I::pg_catalog.text, 1000)', c.name), ', ' ORDER BY c.place) AS names,
               string_agg(format('pg_catalog.btrim(pg_catalog.left(%I::pg_catalog.text, 1000))', c.name),
                          ', ' ORDER BY c.name IN ('full_name', 'display_name', 'name') DESC, c.place) AS own_names
          FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)
       ) AS n
 WHERE t.columns IS NOT NULL

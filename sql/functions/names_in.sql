CREATE OR REPLACE FUNCTION sessiondb.names_in(p_kind text, OUT relation regclass, OUT key name, OUT columns text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The table with the names of users, courses, organisations or sessions (p_kind is user, course, org or session), its key,
 * and its columns with names that the caller may read. No row for users if table_of_users() finds none.
 */
SELECT t.relation, t.key, array_agg(a.attname::text ORDER BY n.place) FILTER (WHERE y.typcategory = 'S')
  FROM (SELECT u.users, u.key
          FROM sessiondb.table_of_users() AS u
         WHERE p_kind = 'user'
        UNION ALL
        SELECT to_regclass(format('%I.%I', i.platform_schema, p_kind || 's')), 'id'
          FROM sessiondb.installation AS i
         WHERE p_kind <> 'user') AS t (relation, key)
 CROSS JOIN unnest(CASE p_kind WHEN 'user' THEN ARRAY['email', 'username', 'login', 'full_name', 'display_name', 'name']
                               WHEN 'org' THEN ARRAY['slug', 'name']
                               ELSE ARRAY['title', 'slug'] END) WITH ORDINALITY AS n (name, place)
  LEFT JOIN pg_attribute AS a ON a.attrelid = t.relation AND a.attname = n.name AND has_column_privilege(t.relation, a.attnum, 'SELECT')
  LEFT JOIN pg_type AS y ON y.oid = a.atttypid
 WHERE t.relation IS NOT NULL
 GROUP BY t.relation, t.key
$function$

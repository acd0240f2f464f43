CREATE OR REPLACE FUNCTION sessiondb.names_in(p_kind text, OUT relation regclass, OUT key name, OUT columns text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET join_collapse_limit = 1
AS $function$
/*
 * The table with the names of users, courses, organisations or sessions (p_kind is user, course, org or session), its key,
 * and its columns with names that the caller may read. No row for users if none is found.
 *
 * The names of users are in table_of_users(), otherwise in a table of the platform's schema, of the same owner, whose
 * primary key refers to what user_id refers to: the profiles of a hosted backend, whose clients may not read auth.users.
 *
 * PL/pgSQL, to plan the query once, and joins in the order in which they are written: planning takes longer than all
 * else, and explain() asks for each name.
 */
#variable_conflict use_column
BEGIN
    SELECT t.relation, t.key, array_agg(a.attname::text ORDER BY n.place) FILTER (WHERE y.typcategory = 'S')
      INTO relation, key, columns
      FROM (SELECT u.users, u.key, 1
              FROM sessiondb.table_of_users() AS u
             WHERE p_kind = 'user'
            UNION ALL
            SELECT c.oid, f.attname, 2
              FROM sessiondb.installation AS i
              JOIN pg_class AS m ON m.oid = to_regclass(format('%I.org_members', i.platform_schema))
              JOIN pg_attribute AS a ON a.attrelid = m.oid AND a.attname = 'user_id'
              JOIN pg_constraint AS k ON k.contype = 'f' AND k.conrelid = m.oid AND k.conkey = ARRAY[a.attnum]
              JOIN pg_constraint AS r ON r.contype = 'f' AND r.confrelid = k.confrelid AND r.confkey = k.confkey
              JOIN pg_constraint AS p ON p.contype = 'p' AND p.conrelid = r.conrelid AND p.conkey = r.conkey
              JOIN pg_class AS c ON c.oid = p.conrelid AND c.relnamespace = m.relnamespace AND c.relowner = m.relowner
              JOIN pg_attribute AS f ON f.attrelid = c.oid AND ARRAY[f.attnum] = p.conkey
             WHERE p_kind = 'user'
               AND has_schema_privilege(c.relnamespace, 'USAGE')
               AND has_column_privilege(c.oid, f.attnum, 'SELECT')
            UNION ALL
            SELECT to_regclass(format('%I.%I', i.platform_schema, p_kind || 's')), 'id', 1
              FROM sessiondb.installation AS i
             WHERE p_kind <> 'user') AS t (relation, key, place)
     CROSS JOIN unnest(CASE p_kind WHEN 'user' THEN ARRAY['email', 'email_address', 'mail', 'username', 'login', 'full_name', 'display_name', 'name']
                                   WHEN 'org' THEN ARRAY['slug', 'name']
                                   ELSE ARRAY['title', 'slug'] END) WITH ORDINALITY AS n (name, place)
      LEFT JOIN pg_attribute AS a ON a.attrelid = t.relation AND a.attname = n.name AND has_column_privilege(t.relation, a.attnum, 'SELECT')
      LEFT JOIN pg_type AS y ON y.oid = a.atttypid
     WHERE t.relation IS NOT NULL
     GROUP BY t.relation, t.key, t.place
     ORDER BY count(y.oid) FILTER (WHERE y.typcategory = 'S') = 0, t.place, t.relation
     LIMIT 1;
END
$function$

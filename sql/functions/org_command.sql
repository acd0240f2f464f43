CREATE OR REPLACE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid)
RETURNS text
LANGUAGE sql
STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a session
 * of a course in it (session, the course); if the platform requires the creator, by one of its members, not a student if
 * it has others. All are named as by shell_name(). Where the table lacks a column that the command fills, or requires
 * another one, it is an INSERT instead, with such a column in angle brackets in the place of its value.
 */
WITH filled AS (
    SELECT a.name, a.value, a.place
      FROM (VALUES ('member', 'org_id', p_org_id::text, 1), ('member', 'user_id', p_id::text, 2), ('member', 'role', 'student', 3),
                   ('session', 'org_id', p_org_id::text, 1), ('session', 'course_id', p_id::text, 2), ('session', 'title', 'Session', 3),
                   ('session', 'status', 'active', 4), ('session', 'created_by', NULL, 5)) AS a (what, name, value, place)
     WHERE a.what = p_what
),
target AS (
    SELECT format('%I.%I', i.platform_schema, t.name) AS name, c.id AS creator, a.is_fit, a.columns
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (SELECT CASE p_what WHEN 'member' THEN 'org_members' ELSE 'sessions' END AS name) AS t
     CROSS JOIN LATERAL (
            SELECT count(f.name) = (SELECT count(*) FROM filled AS g) AND count(*) = count(f.name) AS is_fit,
                   coalesce(bool_or(a.attname = 'created_by' AND a.attnotnull), false) AS needs_creator,
                   array_agg(a.attname ORDER BY f.place, a.attnum) AS columns
              FROM pg_attribute AS a
              LEFT JOIN filled AS f ON f.name = a.attname
             WHERE a.attrelid = to_regclass(format('%I.%I', i.platform_schema, t.name)) AND a.attnum > 0 AND NOT a.attisdropped
               AND (f.name IS NOT NULL OR a.attnotnull AND NOT a.atthasdef AND a.attidentity = '')
           ) AS a
     CROSS JOIN LATERAL (
            SELECT CASE WHEN a.needs_creator THEN (sessiondb.ask(format(
                       $by$
                       SELECT pg_catalog.to_jsonb(m.user_id)
                         FROM %I.org_members AS m
                        WHERE m.org_id OPERATOR(pg_catalog.=) %L
                        ORDER BY (({optional(m, role)})) OPERATOR(pg_catalog.=) 'student', m.user_id
                        LIMIT 1
                       $by$, i.platform_schema, p_org_id)) #>> '{}')::uuid END AS id
           ) AS c
)
SELECT CASE
           WHEN NOT t.is_fit THEN (
               SELECT format('INSERT INTO %s (%s) VALUES (%s)', t.name, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
                             string_agg(coalesce(quote_literal(CASE f.name WHEN 'created_by' THEN t.creator::text
                                                               ELSE f.value END), '<' || quote_ident(c.name) || '>'), ', ' ORDER BY c.place))
                 FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)
                 LEFT JOIN filled AS f ON f.name = c.name
                WHERE c.name <> 'created_by' OR t.creator IS NOT NULL)
           WHEN p_what = 'member' THEN
               'sessiondb member add --org ' || sessiondb.shell_name('org', p_org_id) || ' --user ' || sessiondb.shell_name('user', p_id)
           ELSE
               'sessiondb session create --org ' || sessiondb.shell_name('org', p_org_id) || ' --course ' || sessiondb.shell_name('course', p_id)
               || coalesce(' --by ' || sessiondb.shell_name('user', t.creator), '')
       END
  FROM target AS t
$function$

CREATE OR REPLACE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid)
RETURNS text
LANGUAGE sql
STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a session
 * of a course in it (session, the course); if the platform requires the creator, by one of its members, not a student if
 * it has others. All are named as by shell_name(). Where sessions requires a column that the command does not fill, it is
 * an INSERT instead, with such a column in angle brackets in the place of its value.
 */
SELECT CASE
           WHEN p_what = 'member' THEN
               'sessiondb member add --org ' || sessiondb.shell_name('org', p_org_id) || ' --user ' || sessiondb.shell_name('user', p_id)
           WHEN i.others IS NULL THEN
               'sessiondb session create --org ' || sessiondb.shell_name('org', p_org_id) || ' --course ' || sessiondb.shell_name('course', p_id)
               || coalesce(' --by ' || sessiondb.shell_name('user', c.id), '')
           ELSE
               format('INSERT INTO %I.sessions (org_id, course_id, title, status%s, %s) VALUES (%L, %L, ''Session'', ''active''%s, %s)',
                      i.platform_schema, CASE WHEN c.id IS NOT NULL THEN ', created_by' END, array_to_string(i.others, ', '),
                      p_org_id, p_id, ', ' || quote_literal(c.id), '<' || array_to_string(i.others, '>, <') || '>')
       END
  FROM (SELECT n.platform_schema, bool_or(a.attname = 'created_by' AND a.attnotnull) AS needs_creator,
               array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (
                   WHERE a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
                     AND a.attname NOT IN ('org_id', 'course_id', 'title', 'status', 'created_by')) AS others
          FROM sessiondb.installation AS n
          JOIN pg_attribute AS a ON a.attrelid = to_regclass(format('%I.sessions', n.platform_schema)) AND a.attnum > 0 AND NOT a.attisdropped
         GROUP BY n.platform_schema) AS i
 CROSS JOIN LATERAL (
        SELECT CASE WHEN i.needs_creator AND p_what = 'session' THEN (sessiondb.ask(format(
                   $by$
                   SELECT pg_catalog.to_jsonb(m.user_id)
                     FROM %I.org_members AS m
                    WHERE m.org_id OPERATOR(pg_catalog.=) %L
                    ORDER BY (({optional(m, role)})) OPERATOR(pg_catalog.=) 'student', m.user_id
                    LIMIT 1
                   $by$, i.platform_schema, p_org_id)) #>> '{}')::uuid END AS id
       ) AS c
$function$

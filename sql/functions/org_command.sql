CREATE OR REPLACE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid)
RETURNS text
LANGUAGE sql
STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a session
 * of a course in it (session, the course); if the platform requires the creator, by one of its members, not a student if
 * it has others. All are named as by shell_name().
 */
SELECT CASE p_what
           WHEN 'member' THEN
               'sessiondb member add --org ' || sessiondb.shell_name('org', p_org_id) || ' --user ' || sessiondb.shell_name('user', p_id)
           WHEN 'session' THEN
               'sessiondb session create --org ' || sessiondb.shell_name('org', p_org_id) || ' --course ' || sessiondb.shell_name('course', p_id)
               || coalesce(' --by ' || sessiondb.shell_name('user', (sessiondb.ask(format(
                      $by$
                      SELECT pg_catalog.to_jsonb(m.user_id)
                        FROM %I.org_members AS m
                       WHERE m.org_id OPERATOR(pg_catalog.=) %L AND %L
                       ORDER BY (pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) 'role'::pg_catalog.text) OPERATOR(pg_catalog.=) 'student', m.user_id
                       LIMIT 1
                      $by$, i.platform_schema, p_org_id, i.needs_creator)) #>> '{}')::uuid), '')
       END
  FROM (SELECT n.platform_schema,
               EXISTS (SELECT FROM pg_attribute AS a
                        WHERE a.attrelid = to_regclass(format('%I.sessions', n.platform_schema)) AND a.attname = 'created_by' AND a.attnotnull) AS needs_creator
          FROM sessiondb.installation AS n) AS i
$function$

CREATE OR REPLACE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid)
RETURNS text
LANGUAGE sql
STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a session
 * of a course in it (session, the course); if the platform requires the creator, by one of its members, not a student if
 * it has others. The organisation is named by its slug, quoted for a shell, the others as by shell_name(); on a platform
 * without slugs the command is SQL.
 */
WITH org AS (
    SELECT i.platform_schema,
           EXISTS (SELECT FROM pg_attribute AS a
                    WHERE a.attrelid = to_regclass(format('%I.sessions', i.platform_schema)) AND a.attname = 'created_by' AND a.attnotnull) AS needs_creator,
           CASE WHEN f.slug ~ '^[A-Za-z0-9._-]+$' THEN f.slug ELSE '''' || replace(f.slug, '''', '''\''''') || '''' END AS slug
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL (
            SELECT sessiondb.ask(format('SELECT pg_catalog.to_jsonb(r.*) FROM %I.orgs AS r WHERE r.id OPERATOR(pg_catalog.=) %L',
                                        i.platform_schema, p_org_id)) ->> 'slug' AS slug
           ) AS f
)
SELECT CASE p_what
           WHEN 'member' THEN coalesce(
               'sessiondb member add --org ' || o.slug || ' --user ' || sessiondb.shell_name('user', p_id),
               format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)', o.platform_schema, p_org_id, p_id))
           WHEN 'session' THEN coalesce(
               'sessiondb session create --org ' || o.slug || ' --course ' || sessiondb.shell_name('course', p_id)
               || coalesce(' --by ' || sessiondb.shell_name('user', (sessiondb.ask(format(
                      $by$
                      SELECT pg_catalog.to_jsonb(m.user_id)
                        FROM %I.org_members AS m
                       WHERE m.org_id OPERATOR(pg_catalog.=) %L AND %L
                       ORDER BY (pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) 'role'::pg_catalog.text) OPERATOR(pg_catalog.=) 'student', m.user_id
                       LIMIT 1
                      $by$, o.platform_schema, p_org_id, o.needs_creator)) #>> '{}')::uuid), ''),
               format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)', o.platform_schema, p_org_id, p_id, 'active'))
       END
  FROM org AS o
$function$

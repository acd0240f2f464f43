CREATE OR REPLACE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid)
RETURNS text
LANGUAGE sql STABLE
STRICT
AS $function$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a
 * session of a course in it (session, the course), by one of its members, no student if it has others. It names the
 * organisation by its slug, quoted for a shell; on a platform without slugs only SQL can do it.
 */
SELECT CASE
           WHEN p_what OPERATOR(pg_catalog.=) 'member' THEN coalesce(
               'sessiondb member add --org ' OPERATOR(pg_catalog.||) o.slug OPERATOR(pg_catalog.||) ' --user ' OPERATOR(pg_catalog.||) p_id::pg_catalog.text,
               pg_catalog.format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)', (SELECT i.platform_schema FROM sessiondb.installation AS i), p_org_id, p_id))
           WHEN p_what OPERATOR(pg_catalog.=) 'session' THEN coalesce(
               'sessiondb session create --org ' OPERATOR(pg_catalog.||) o.slug OPERATOR(pg_catalog.||) ' --course ' OPERATOR(pg_catalog.||) p_id::pg_catalog.text OPERATOR(pg_catalog.||) ' --by '
               OPERATOR(pg_catalog.||) (SELECT m.user_id::pg_catalog.text
                     FROM platform.org_members AS m
                    WHERE m.org_id OPERATOR(pg_catalog.=) p_org_id
                    ORDER BY (pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) 'role'::pg_catalog.text) OPERATOR(pg_catalog.=) 'student'::pg_catalog.text, m.user_id
                    LIMIT 1),
               pg_catalog.format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)',
                   (SELECT i.platform_schema FROM sessiondb.installation AS i), p_org_id, p_id, 'active'))
       END
  FROM (SELECT (SELECT CASE
                           WHEN f.slug OPERATOR(pg_catalog.~) '^[A-Za-z0-9._-]+$' THEN f.slug
                           ELSE '''' OPERATOR(pg_catalog.||) pg_catalog.replace(f.slug, '''', '''\''''') OPERATOR(pg_catalog.||) ''''
                       END
                  FROM (SELECT pg_catalog.to_jsonb(o.*) OPERATOR(pg_catalog.->>) 'slug'::pg_catalog.text AS slug FROM platform.orgs AS o WHERE o.id OPERATOR(pg_catalog.=) p_org_id) AS f) AS slug) AS o
$function$

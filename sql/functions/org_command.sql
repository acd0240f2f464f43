CREATE OR REPLACE FUNCTION sessiondb.org_command(p_what text, p_org_id uuid, p_id uuid)
RETURNS text
LANGUAGE sql STABLE
STRICT
SET search_path FROM CURRENT
AS $function$
/*
 * The command that makes a user a member of an organisation (p_what is member, p_id the user), or that creates a
 * session of a course in it (session, the course), by one of its members, no student if it has others. It names the
 * organisation by its slug, quoted for a shell; on a platform without slugs only SQL can do it.
 */
SELECT CASE p_what
           WHEN 'member' THEN coalesce(
               'sessiondb member add --org ' || o.slug || ' --user ' || p_id::text,
               pg_catalog.format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)', pg_catalog.current_schema(), p_org_id, p_id))
           WHEN 'session' THEN coalesce(
               'sessiondb session create --org ' || o.slug || ' --course ' || p_id::text || ' --by '
               || (SELECT m.user_id::text
                     FROM org_members AS m
                    WHERE m.org_id = p_org_id
                    ORDER BY (pg_catalog.to_jsonb(m.*) ->> 'role'::text) = 'student'::text, m.user_id
                    LIMIT 1),
               pg_catalog.format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)',
                   pg_catalog.current_schema(), p_org_id, p_id, 'active'))
       END
  FROM (SELECT (SELECT CASE
                           WHEN f.slug ~ '^[A-Za-z0-9._-]+$' THEN f.slug
                           ELSE '''' || pg_catalog.replace(f.slug, '''', '''\''''') || ''''
                       END
                  FROM (SELECT pg_catalog.to_jsonb(o.*) ->> 'slug'::text AS slug FROM orgs AS o WHERE o.id = p_org_id) AS f) AS slug) AS o
$function$

CREATE OR REPLACE FUNCTION sessiondb.title_of_session(p_session_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * The title of the session with its id, or its id alone.
 */
SELECT coalesce(
    (SELECT pg_catalog.format('"%s" (%s)', pg_catalog.to_jsonb(s.*) ->> 'title'::text, s.id) FROM sessions AS s
      WHERE s.id = p_session_id AND pg_catalog.to_jsonb(s.*) ->> 'title'::text IS NOT NULL),
    p_session_id::text)
$function$

-- A plain join: reads all active sessions of the course in the organisations, then sorts.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
BEGIN
    SELECT s.id
      INTO NEW.session_id
      FROM org_members AS m
      JOIN sessions AS s ON s.org_id = m.org_id
     WHERE m.user_id = NEW.user_id AND s.course_id = NEW.course_id AND s.status = 'active'
     ORDER BY s.created_at DESC NULLS LAST, s.id DESC
     LIMIT 1
       FOR KEY SHARE OF s;
    RETURN NEW;
END
$function$;

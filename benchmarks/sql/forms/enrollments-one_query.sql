-- The query in the trigger itself, no function called.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
BEGIN
    SELECT newest.id
      INTO NEW.session_id
      FROM org_members AS m
     CROSS JOIN LATERAL (
            SELECT s.id, s.created_at
              FROM sessions AS s
             WHERE s.org_id = m.org_id AND s.course_id = NEW.course_id AND s.status = 'active'
             ORDER BY s.created_at DESC NULLS LAST, s.id DESC
             LIMIT 1
               FOR KEY SHARE
           ) AS newest
     WHERE m.user_id = NEW.user_id
     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
     LIMIT 1;
    RETURN NEW;
END
$function$;

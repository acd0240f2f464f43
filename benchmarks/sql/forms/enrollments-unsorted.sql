-- Any session instead of the newest, where the student is in several organisations: what the last sort costs.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
BEGIN
    SELECT newest.id
      INTO NEW.session_id
      FROM org_members AS m
     CROSS JOIN LATERAL (
            SELECT s.id
              FROM sessions AS s
             WHERE s.org_id = m.org_id AND s.course_id = NEW.course_id AND s.status = 'active'
             ORDER BY s.created_at DESC NULLS LAST, s.id DESC
             LIMIT 1
               FOR KEY SHARE
           ) AS newest
     WHERE m.user_id = NEW.user_id;
    RETURN NEW;
END
$function$;

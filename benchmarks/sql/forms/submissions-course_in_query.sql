-- The course is looked up within the query that needs it.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
BEGIN
    SELECT eligible.id
      INTO NEW.session_id
      FROM enrollments AS e
     CROSS JOIN LATERAL (
            SELECT s.id, s.created_at
              FROM sessions AS s
             WHERE s.id = e.session_id AND s.course_id = e.course_id AND s.status = 'active'
               AND EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = e.user_id)
             LIMIT 1
               FOR KEY SHARE OF s
           ) AS eligible
     WHERE e.user_id = NEW.user_id
       AND e.course_id = (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id)
     ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
     LIMIT 1;
    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(
            NEW.user_id, (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id));
    END IF;
    RETURN NEW;
END
$function$;

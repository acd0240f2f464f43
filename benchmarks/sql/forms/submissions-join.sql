-- A plain join, whose order the planner chooses.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
DECLARE
    v_course_id uuid := (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id);
BEGIN
    SELECT s.id
      INTO NEW.session_id
      FROM enrollments AS e
      JOIN sessions AS s ON s.id = e.session_id
      JOIN org_members AS m ON m.org_id = s.org_id AND m.user_id = e.user_id
     WHERE e.user_id = NEW.user_id AND e.course_id = v_course_id
       AND s.course_id = v_course_id AND s.status = 'active'
     ORDER BY s.created_at DESC NULLS LAST, s.id DESC
     LIMIT 1
       FOR KEY SHARE OF s;
    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);
    END IF;
    RETURN NEW;
END
$function$;

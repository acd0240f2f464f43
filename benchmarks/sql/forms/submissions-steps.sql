-- A query for each table, one after the other.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
DECLARE
    v_course_id uuid := (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id);
    v_session_id uuid;
    v_org_id uuid;
BEGIN
    SELECT e.session_id INTO v_session_id
      FROM enrollments AS e
     WHERE e.user_id = NEW.user_id AND e.course_id = v_course_id;
    SELECT s.org_id INTO v_org_id
      FROM sessions AS s
     WHERE s.id = v_session_id AND s.course_id = v_course_id AND s.status = 'active'
       FOR KEY SHARE;
    SELECT v_session_id INTO NEW.session_id
      FROM org_members AS m
     WHERE m.user_id = NEW.user_id AND m.org_id = v_org_id;
    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);
    END IF;
    RETURN NEW;
END
$function$;

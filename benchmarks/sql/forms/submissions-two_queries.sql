-- Two queries, right only where a student is enrolled once in a course: the enrolment of the course, then its
-- session with the membership.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
DECLARE
    v_session_id uuid;
BEGIN
    SELECT e.session_id
      INTO v_session_id
      FROM enrollments AS e
     WHERE e.user_id = NEW.user_id
       AND e.course_id = (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id);
    SELECT s.id
      INTO NEW.session_id
      FROM sessions AS s
     WHERE s.id = v_session_id AND s.status = 'active'
       AND EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = NEW.user_id LIMIT 1)
       FOR KEY SHARE OF s;
    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(
            NEW.user_id, (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id));
    END IF;
    RETURN NEW;
END
$function$;

-- Only the course is looked up.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
DECLARE
    v_course_id uuid := (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id);
BEGIN
    RETURN NEW;
END
$function$;

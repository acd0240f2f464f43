-- As shipped, but neither SECURITY DEFINER nor a search_path, here or in the function that it calls: what these cost.
ALTER FUNCTION sessiondb.find_session RESET search_path;

CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);
    RETURN NEW;
END
$function$;

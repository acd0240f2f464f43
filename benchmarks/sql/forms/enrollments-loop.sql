-- A loop over the organisations, with a query for each.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
DECLARE
    v_org_id uuid;
    v_session sessions;
    v_newest sessions;
BEGIN
    FOR v_org_id IN SELECT m.org_id FROM org_members AS m WHERE m.user_id = NEW.user_id LOOP
        SELECT s.* INTO v_session
          FROM sessions AS s
         WHERE s.org_id = v_org_id AND s.course_id = NEW.course_id AND s.status = 'active'
         ORDER BY s.created_at DESC NULLS LAST, s.id DESC
         LIMIT 1
           FOR KEY SHARE;
        IF FOUND AND (v_newest.id IS NULL OR v_session.created_at > v_newest.created_at) THEN
            v_newest := v_session;
        END IF;
    END LOOP;
    NEW.session_id := v_newest.id;
    RETURN NEW;
END
$function$;

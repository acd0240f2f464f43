-- Both choices in one statement.
CREATE FUNCTION bench.form() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $function$
DECLARE
    v_course_id uuid := (SELECT x.course_id FROM exercises AS x WHERE x.id = NEW.exercise_id);
BEGIN
    SELECT coalesce(
               (SELECT s.id
                  FROM enrollments AS e
                  JOIN sessions AS s ON s.id = e.session_id
                  JOIN org_members AS m ON m.org_id = s.org_id AND m.user_id = e.user_id
                 WHERE e.user_id = NEW.user_id AND e.course_id = v_course_id
                   AND s.course_id = v_course_id AND s.status = 'active'
                 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                 LIMIT 1
                   FOR KEY SHARE OF s),
               (SELECT newest.id
                  FROM org_members AS m
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM sessions AS s
                         WHERE s.org_id = m.org_id AND s.course_id = v_course_id AND s.status = 'active'
                         ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                         LIMIT 1
                           FOR KEY SHARE
                       ) AS newest
                 WHERE m.user_id = NEW.user_id
                 ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
                 LIMIT 1))
      INTO NEW.session_id;
    RETURN NEW;
END
$function$;

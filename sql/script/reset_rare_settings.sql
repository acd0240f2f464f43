-- Resets the settings that only some servers have, or only some roles may set.
DO $rare$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN
        SELECT s.name FROM (
{rare_settings()}
        ) AS s
    LOOP
        EXECUTE format('RESET %I', v_name);
    END LOOP;
END
$rare$;

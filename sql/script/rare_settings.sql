-- Sets the settings that only some servers have, or only some roles may set.
DO $rare$
BEGIN
    PERFORM set_config(s.name, s.meant, false) FROM (
{rare_settings()}
    ) AS s;
END
$rare$;

-- Sets what only some servers have, or only some roles may set, to $1: s.meant or s.reset_val.
DO $rare$
BEGIN
    PERFORM set_config(s.name, $1, false) FROM (
{rare_settings()}
    ) AS s;
END
$rare$;

DO $committed$
DECLARE
    v_pids integer[] := ARRAY(
{uncommitted($1)}
        );
BEGIN
    IF v_pids <> '{}' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'lock_not_available',
            MESSAGE = 'another transaction has changed schema sessiondb and has not ended, so it is not known what is there',
            DETAIL = 'In the way: ' || ({in_the_way(v_pids)}),
            HINT = 'Run it again when that transaction has ended.';
    END IF;
END
$committed$;

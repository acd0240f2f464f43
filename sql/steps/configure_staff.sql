-- Records the parameters of the policies for staff; the column exists from migration 0010 on. Policies that change grant their readers what
-- they call; what is new of views changes no policy.
DO $staff$
DECLARE
    v_of_views text;
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass('sessiondb.installation') AND a.attname = 'staff' AND NOT a.attisdropped)
    THEN
        v_of_views := (SELECT i.staff ->> 'of_views' FROM sessiondb.installation AS i);
        UPDATE sessiondb.installation AS i SET staff = s.staff
          FROM ({staff()}) AS s
         WHERE i.staff IS DISTINCT FROM s.staff;
        IF v_of_views IS DISTINCT FROM (SELECT i.staff ->> 'of_views' FROM sessiondb.installation AS i)
           AND to_regprocedure('sessiondb.grant_to_readers()') IS NOT NULL
        THEN
            CALL sessiondb.grant_to_readers();
        END IF;
    END IF;
END
$staff$

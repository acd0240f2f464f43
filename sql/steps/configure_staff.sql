-- Records the parameters of the policies for staff, and grants its readers what these call; the column exists from migration 0010 on.
DO $staff$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass('sessiondb.installation') AND a.attname = 'staff' AND NOT a.attisdropped)
    THEN
        UPDATE sessiondb.installation AS i SET staff = s.staff
          FROM ({staff()}) AS s
         WHERE i.staff IS DISTINCT FROM s.staff;
        IF FOUND AND to_regprocedure('sessiondb.grant_to_readers()') IS NOT NULL THEN
            CALL sessiondb.grant_to_readers();
        END IF;
    END IF;
END
$staff$

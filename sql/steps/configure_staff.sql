-- Records the parameters of the policies for staff; the column exists from migration 0010 on.
DO $staff$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass('sessiondb.installation') AND a.attname = 'staff' AND NOT a.attisdropped)
    THEN
        UPDATE sessiondb.installation AS i SET staff = s.staff
          FROM ({staff()}) AS s
         WHERE i.staff IS DISTINCT FROM s.staff;
    END IF;
END
$staff$

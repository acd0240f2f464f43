-- Keeps what the policies for staff are made with; the column is there from migration 0010 on.
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

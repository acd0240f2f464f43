-- ARRAY(SELECT ...) is evaluated once a query, and an index on session_id can be searched for what it holds.
CREATE POLICY sessiondb_staff_enrollments ON platform.enrollments
    AS PERMISSIVE FOR SELECT TO readers_of_enrollments
    USING (session_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT sessiondb.sessions_of_staff())))

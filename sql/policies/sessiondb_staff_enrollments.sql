-- ARRAY(SELECT ...) is evaluated once per query, and the index on session_id can be searched for its elements. Who asks is
-- evaluated here, with the rights of the reader.
CREATE POLICY sessiondb_staff_enrollments ON platform.enrollments
    AS PERMISSIVE FOR SELECT TO readers_of_enrollments
    USING (session_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT sessiondb.sessions_of_staff(sessiondb.current_user_id()))))

-- The floor, and the application that finds the session by itself: indexes and foreign keys as they are,
-- no trigger.
DROP TRIGGER zzz_sessiondb_check_enrollment ON enrollments;
DROP TRIGGER zzz_sessiondb_link_enrollment ON enrollments;
DROP TRIGGER zzz_sessiondb_check_submission ON submissions;
DROP TRIGGER zzz_sessiondb_link_submission ON submissions;
DROP TRIGGER zzz_sessiondb_link_enrollment_update ON enrollments;
DROP TRIGGER zzz_sessiondb_link_submission_update ON submissions;

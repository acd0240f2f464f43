-- The column submissions.session_id: nullable and without default, so that no row is touched. One that exists is taken as it is.
-- The triggers that check a session come in the same transaction, so that the column is never open to clients. One that was
-- there before us was open before us, and is checked from migration 0008 on, when the platform's own triggers are taken over.
--
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0002.add-enrollments-session_id

-- step: add_column submissions

-- object: trigger zzz_sessiondb_check_submission
-- object: trigger zzz_sessiondb_check_submission_update

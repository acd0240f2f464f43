-- The column enrollments.session_id: nullable and without default, so that no row is touched. One that exists is taken as it is.
-- The triggers that check a session come in the same transaction, so that the column is never open to clients. One that was
-- there before us was open before us, and is checked from migration 0007 on, when the platform's own triggers are taken over.
--
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0001.create-bookkeeping

-- step: add_column enrollments

-- object: function check_session
-- object: function query_of_saved_link
-- object: trigger zzz_sessiondb_check_enrollment
-- object: trigger zzz_sessiondb_check_enrollment_update

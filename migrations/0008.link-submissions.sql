-- From here on every new row of submissions links itself. A trigger of the platform that does so too is taken over with --adopt, and
-- refused without; a session_id that was there before us is checked from here on, too.
--
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0007.link-enrollments

-- step: adopt_triggers submissions

-- object: function find_enrolled_session
-- object: function link_submission
-- object: trigger zzz_sessiondb_link_submission
-- object: trigger zzz_sessiondb_link_submission_update
-- object: trigger zzz_sessiondb_check_submission, where the column was there before us
-- object: trigger zzz_sessiondb_check_submission_update, where the column was there before us

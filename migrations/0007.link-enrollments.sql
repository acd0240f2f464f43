-- From here on every new row of enrollments links itself. A trigger of the platform that does so too is taken over with --adopt, and
-- refused without; a session_id that was there before us is checked from here on, too.
--
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0006.restore-links

-- step: set_aside_function
-- step: adopt_triggers enrollments

-- object: function find_session
-- object: function get_user_session_for_course
-- object: function link_enrollment
-- object: trigger zzz_sessiondb_link_enrollment
-- object: trigger zzz_sessiondb_link_enrollment_update
-- object: trigger zzz_sessiondb_check_enrollment, where the column was there before us
-- object: trigger zzz_sessiondb_check_enrollment_update, where the column was there before us

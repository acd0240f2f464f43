-- The way from a submission to its course in this platform, for the functions to be compiled with. To
-- choose another one later: rollback --to 0007, then apply --course-path.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0007.restore-links

CALL sessiondb.choose_course_path();

-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.

UPDATE sessiondb.installation SET course_path = NULL, course_pieces = NULL, course_joins = NULL;

-- Locks: none on the host's tables.

UPDATE sessiondb.installation SET course_path = NULL, course_pieces = NULL, course_joins = NULL;

-- What course_paths.sql returned, once for all parts of a statement.
-- WITH: known_path
SELECT p.* FROM known_path AS p

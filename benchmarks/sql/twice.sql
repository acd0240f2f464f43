-- A platform where a student may enrol twice in a course: the index is there, and is not unique.
ALTER TABLE enrollments DROP CONSTRAINT enrollments_user_id_course_id_key;
CREATE INDEX enrollments_user_id_course_id_idx ON enrollments (user_id, course_id);

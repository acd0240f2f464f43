-- A foreign key that was there before us stays, and so does that of a column of ours, which is dropped with it.
--
-- If the process dies: what was done stays; run rollback again.
--
-- transactional: false

-- step: drop_foreign_key submissions
-- step: drop_foreign_key enrollments

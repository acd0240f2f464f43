-- Links that an earlier rollback saved are given back to their rows, in short transactions, before there are triggers that might
-- choose anew.
--
-- If the process dies: what was restored is no longer among the saved links; run apply again.
--
-- depends: 0005.create-indexes
-- transactional: false

-- step: restore_links enrollments
-- step: restore_links submissions

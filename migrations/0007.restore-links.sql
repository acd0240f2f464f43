-- Links that an earlier rollback saved are given back to their rows, in short transactions, before
-- there are triggers that might choose anew.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: what was restored is no longer among the saved links; run apply again.
--
-- depends: 0006.create-indexes
-- transactional: false

-- run each statement that this returns
-- lock: ROW EXCLUSIVE on enrollments; ROW SHARE on sessions
-- lock where a rollback was stopped half-way: ACCESS EXCLUSIVE on enrollments
SELECT s.statement FROM sessiondb.restore_links_statements('enrollments') AS s;

-- run each statement that this returns
-- lock: ROW EXCLUSIVE on submissions; ROW SHARE on sessions
-- lock where a rollback was stopped half-way: ACCESS EXCLUSIVE on submissions
SELECT s.statement FROM sessiondb.restore_links_statements('submissions') AS s;

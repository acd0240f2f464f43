-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-table

DROP TABLE IF EXISTS sessiondb.backfill_progress;

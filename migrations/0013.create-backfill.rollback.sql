-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-function, ban-drop-table

DROP PROCEDURE IF EXISTS sessiondb.backfill(uuid);
DROP FUNCTION IF EXISTS sessiondb.backfill_counts();
DROP FUNCTION IF EXISTS sessiondb.backfill_step(integer);
DROP PROCEDURE IF EXISTS sessiondb.begin_backfill(uuid);
DROP FUNCTION IF EXISTS sessiondb.backfill_remarks(uuid);
DROP FUNCTION IF EXISTS sessiondb.backfill_partitions();
DROP FUNCTION IF EXISTS sessiondb.add_counts(jsonb, jsonb);
DROP FUNCTION IF EXISTS sessiondb.link_batch(name, regclass, bigint, bigint, uuid, text);
DROP FUNCTION IF EXISTS sessiondb.choose_sessions(uuid[], uuid[], boolean);
DROP TABLE IF EXISTS sessiondb.backfill_progress;

DELETE FROM sessiondb.objects
 WHERE kind = 'function'
   AND name IN ('choose_sessions', 'link_batch', 'add_counts', 'backfill_partitions', 'backfill_remarks', 'begin_backfill', 'backfill_step', 'backfill_counts', 'backfill');

-- The statements still needed for index $1 on table $2, in order; none if a valid equivalent index exists, under any
-- name. Each is to be run by itself, outside a transaction. Each comes with the locks that it acquires, as
-- {"table": "mode"}, and the table that it reads completely.
--
-- $3 holds the possible column lists; the first one is built, with the predicate $4. $5 is its comment.
--
-- No index has a predicate on status, which would keep the platform from changing its type. An index of 0.1.0 that has one
-- is dropped and built again. On a partitioned table it cannot be dropped concurrently, and takes those of the partitions
-- along: that keeps readers and writers of all partitions out, for a moment.
--
-- An index of that name that is invalid and not being built is the remnant of a crash: it is dropped and built again (IF
-- EXISTS: on a worker of Citus there may be none). One that is being built is not ours, and is refused. On a partitioned
-- table, where CONCURRENTLY is not possible, the index is created on the parent only, built concurrently on each
-- partition, and attached. The index of the parent is invalid until then; its comment shows preflight that it is ours,
-- and not one that another session has not finished.
--
-- Attaching acquires ACCESS EXCLUSIVE on the index of the partition, and planning a query on the partition locks all of
-- its indexes: so readers and writers of that one partition are briefly blocked, and are waited for. (The lock is SHARE
-- UPDATE EXCLUSIVE on the index of the parent, which no query uses before it is complete, and ACCESS SHARE on both
-- tables.) The alternative that would block no reader, CREATE INDEX on the whole table once the partitions have theirs,
-- acquires SHARE on all partitions at once, and would block writers while it builds the index of a new partition.
--
-- Longer than a screen: a branch for each statement that may still be needed, in order.
WITH place AS (
SELECT p.*,
       coalesce(p.is_outdated OR p.is_attached AND bool_or(p.level = 0 AND p.is_outdated) OVER (), false) AS is_renewed
  FROM ({index_places($1, $2, $3, $4)}) AS p
)
SELECT s.statement,
       CASE WHEN s.mode IS NOT NULL THEN json_build_object(n.table_name, s.mode) END,
       CASE s.turn WHEN 3 THEN n.table_name END
  FROM place AS n
  LEFT JOIN place AS parent ON parent.relid = n.parentrelid
 CROSS JOIN (SELECT ' WHERE ' || $4 AS clause) AS w
 CROSS JOIN LATERAL (
        SELECT 0 AS turn, -1 AS place,
               format('DO %L', format('BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[]); '
                                      'DROP INDEX %I.%I; END',
                                      format('%I.%I', n.schema_name, n.table_name), n.schema_name, n.index_name)) AS statement,
               'ACCESS EXCLUSIVE' AS mode
         WHERE NOT n.isleaf AND n.is_outdated AND NOT n.is_attached
        UNION ALL
        -- first the parents' definitions, then the partitions from the leaves up
        SELECT 0, n.level,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    CREATE INDEX %I ON ONLY %I.%I (%s)%s;\n'
                   '    COMMENT ON INDEX %I.%I IS %L;\n'
                   'END',
                   n.index_name, n.schema_name, n.table_name, ($3::text[])[1], w.clause, n.schema_name, n.index_name, $5)),
               'SHARE'
         WHERE NOT n.isleaf AND (n.index_oid IS NULL OR n.is_renewed)
        UNION ALL
        -- waits for the build of another session, or reports which one it is
        SELECT 1, -n.level,
               format('CALL sessiondb.lock_tables(''SHARE UPDATE EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[])',
                      format('%I.%I', n.schema_name, n.table_name)),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf AND n.is_being_built IS NOT TRUE AND n.is_building
        UNION ALL
        SELECT 2, -n.level,
               format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I', n.schema_name, n.index_name),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf
           AND (NOT n.is_valid AND NOT n.is_being_built
                OR n.is_outdated AND NOT n.is_attached)
        UNION ALL
        SELECT 3, -n.level,
               format('CREATE INDEX CONCURRENTLY %I ON %I.%I (%s)%s', n.index_name, n.schema_name, n.table_name, ($3::text[])[1], w.clause),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf
           AND (n.is_valid IS NOT TRUE OR NOT n.is_served OR n.is_renewed)
           AND n.is_being_built IS NOT TRUE
        UNION ALL
        -- shows that it is ours if the record is lost
        SELECT 4, -n.level, format('COMMENT ON INDEX %I.%I IS %L', n.schema_name, n.index_name, $5), 'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf AND n.level = 0
           AND (n.is_valid IS NOT TRUE OR NOT n.is_served)
           AND n.is_being_built IS NOT TRUE
        UNION ALL
        SELECT 1, -n.level,
               format('DO %L', format(
                   'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_in_use'', MESSAGE = %L, HINT = %L; END',
                   format('index %I.%I is being built by another session', n.schema_name, n.index_name),
                   'Run sessiondb apply again when it is done.')),
               NULL
         WHERE n.isleaf AND n.is_being_built
        UNION ALL
        SELECT 5, -n.level,
               format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', parent.schema_name, parent.index_name, n.schema_name, n.index_name),
               'ACCESS EXCLUSIVE'
         WHERE n.level > 0 AND (NOT n.is_attached OR n.is_renewed)
       ) AS s
 WHERE NOT EXISTS (SELECT FROM place AS whole WHERE whole.level = 0 AND whole.is_served)
   AND NOT n.is_a_part
 ORDER BY CASE s.turn WHEN 0 THEN 0 ELSE 1 END, s.place, n.table_name, s.turn

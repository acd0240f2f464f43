-- The statements still needed for index $1 on table $2, in order; none if a valid equivalent index exists, under any
-- name. Each is to be run by itself, outside a transaction. Each comes with the locks that it acquires, as
-- {"table": "mode"}, and the table that it reads completely.
--
-- $3 holds the possible column lists, as PostgreSQL writes them; the first one is built. An index is equivalent if its
-- columns begin with one of them and its predicate is $4 or missing. $5 is its comment.
--
-- No index has a predicate on status, which would keep the platform from changing its type. An index of 0.1.0 that has one
-- is dropped and built again; on a partitioned table, preflight asks for that.
--
-- An index of that name that is invalid and not being built is the remnant of a crash: it is dropped and built again. One
-- that is being built is not ours, and is refused. On a partitioned table, where CONCURRENTLY is not possible, the index
-- is created on the parent only, built concurrently on each partition, and attached. The index of the parent is invalid
-- until then; its comment shows preflight that it is ours, and not one that another session has not finished.
--
-- Attaching acquires ACCESS EXCLUSIVE on the index of the partition, and planning a query on the partition locks all of
-- its indexes: so readers and writers of that one partition are briefly blocked, and are waited for. (The lock is SHARE
-- UPDATE EXCLUSIVE on the index of the parent, which no query uses before it is complete, and ACCESS SHARE on both
-- tables.) The alternative that would block no reader, CREATE INDEX on the whole table once the partitions have theirs,
-- acquires SHARE on all partitions at once, and would block writers while it builds the index of a new partition.
--
-- Longer than a screen: what exists, and one branch for each statement that may still be needed, in order.
WITH
platform AS (
    SELECT n.oid AS namespace, n.nspname
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
root AS (
    SELECT c.oid, c.relkind
      FROM platform AS h
      JOIN pg_class AS c ON c.relnamespace = h.namespace AND c.relname = $2
),
-- The table and, under a partitioned one, its partitions.
node AS (
    SELECT p.relid, p.parentrelid, p.level, p.isleaf,
           n.nspname AS schema_name,
           c.relname AS table_name,
           CASE p.level
               WHEN 0 THEN $1::text
               -- 12 letters of four bytes take 48; a longer name would lose its end
               ELSE format('%s_%s_idx', left(c.relname, CASE WHEN octet_length(left(c.relname, 48)) <= 50 THEN 48 ELSE 12 END),
                           left(md5($1 || c.relname), 8))
           END AS index_name
      FROM root AS r
     CROSS JOIN LATERAL (
            SELECT r.oid AS relid, NULL::oid AS parentrelid, 0 AS level, true AS isleaf WHERE r.relkind <> 'p'
            UNION ALL
            SELECT t.relid, t.parentrelid, t.level, t.isleaf FROM pg_partition_tree(r.oid) AS t WHERE r.relkind = 'p'
           ) AS p
      JOIN pg_class AS c ON c.oid = p.relid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
),
-- The sessions that build an index concurrently, and which one, if this role may see that. (Only in this database: a copy
-- of the same database may have a table with the same oid.)
builder AS (
    SELECT l.relation AS relid, p.index_relid
      FROM pg_stat_progress_create_index AS p
      JOIN pg_locks AS l ON l.pid = p.pid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
     WHERE p.datname = current_database() AND p.pid <> pg_backend_pid()
),
existing AS (
    SELECT i.indexrelid, i.indrelid, c.relname, i.indisvalid,
           NOT i.indisvalid AND EXISTS (
                SELECT FROM builder AS b
                 WHERE b.relid = i.indrelid AND coalesce(b.index_relid, i.indexrelid) = i.indexrelid) AS being_built,
           EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid) AS attached,
           (SELECT string_agg(
                       pg_get_indexdef(i.indexrelid, k.place::integer, true)
                       || CASE k.options & 3 WHEN 0 THEN '' WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' ELSE ' DESC' END,
                       ', ' ORDER BY k.place)
              FROM unnest(i.indoption) WITH ORDINALITY AS k (options, place)) AS columns,
           btrim(pg_get_expr(i.indpred, i.indrelid), '()') AS predicate,
           a.amname
      FROM node AS n
      JOIN pg_index AS i ON i.indrelid = n.relid
      JOIN pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_am AS a ON a.oid = c.relam
),
-- Equivalent indexes.
suitable AS (
    SELECT e.indexrelid, e.indrelid
      FROM existing AS e
     WHERE e.indisvalid
       AND e.amname = 'btree'
       AND EXISTS (
            SELECT FROM unnest($3::text[]) AS wanted (columns)
             WHERE e.columns = wanted.columns OR starts_with(e.columns, wanted.columns || ', '))
       AND (e.predicate IS NULL OR e.predicate = $4)
),
-- A partition needs none if one is already attached to the index of its table, under any name.
attached AS (
    SELECT n.relid
      FROM node AS n
      JOIN suitable AS s ON s.indrelid = n.relid
      JOIN pg_inherits AS h ON h.inhrelid = s.indexrelid
      JOIN existing AS e ON e.indexrelid = h.inhparent
      JOIN node AS parent ON parent.relid = n.parentrelid AND parent.index_name = e.relname
),
-- Nor if its table as a whole has an equivalent index.
served AS (
    SELECT n.relid, n.level
      FROM node AS n
     WHERE n.relid IN (SELECT s.indrelid FROM suitable AS s)
)
SELECT s.statement,
       CASE WHEN s.mode IS NOT NULL THEN json_build_object(n.table_name, s.mode) END,
       CASE s.turn WHEN 3 THEN n.table_name END
  FROM node AS n
  LEFT JOIN existing AS ours ON ours.indrelid = n.relid AND ours.relname = n.index_name
  LEFT JOIN node AS parent ON parent.relid = n.parentrelid
 CROSS JOIN (SELECT ' WHERE ' || $4 AS clause) AS w
 CROSS JOIN LATERAL (
        -- first the parents' definitions, then the partitions from the leaves up
        SELECT 0 AS turn, n.level AS place,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    CREATE INDEX %I ON ONLY %I.%I (%s)%s;\n'
                   '    COMMENT ON INDEX %I.%I IS %L;\n'
                   'END',
                   n.index_name, n.schema_name, n.table_name, ($3::text[])[1], w.clause, n.schema_name, n.index_name, $5)) AS statement,
               'SHARE' AS mode
         WHERE NOT n.isleaf AND ours.relname IS NULL
        UNION ALL
        -- waits for the build of another session, or reports which one it is
        SELECT 1, -n.level,
               format('CALL sessiondb.lock_tables(''SHARE UPDATE EXCLUSIVE'', %L)', format('%I.%I', n.schema_name, n.table_name)),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf AND ours.being_built IS NOT TRUE AND n.relid IN (SELECT b.relid FROM builder AS b)
        UNION ALL
        SELECT 2, -n.level,
               format('DROP INDEX CONCURRENTLY %I.%I', n.schema_name, n.index_name),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf
           AND (NOT ours.indisvalid AND NOT ours.being_built
                OR ours.predicate IS NOT NULL AND w.clause IS NULL AND NOT ours.attached AND obj_description(ours.indexrelid, 'pg_class') LIKE '%(sessiondb)')
        UNION ALL
        SELECT 3, -n.level,
               format('CREATE INDEX CONCURRENTLY %I ON %I.%I (%s)%s', n.index_name, n.schema_name, n.table_name, ($3::text[])[1], w.clause),
               'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf
           AND (ours.indisvalid IS NOT TRUE OR n.relid NOT IN (SELECT v.relid FROM served AS v))
           AND ours.being_built IS NOT TRUE
        UNION ALL
        -- shows that it is ours if the record is lost
        SELECT 4, -n.level, format('COMMENT ON INDEX %I.%I IS %L', n.schema_name, n.index_name, $5), 'SHARE UPDATE EXCLUSIVE'
         WHERE n.isleaf AND n.level = 0
           AND (ours.indisvalid IS NOT TRUE OR n.relid NOT IN (SELECT v.relid FROM served AS v))
           AND ours.being_built IS NOT TRUE
        UNION ALL
        SELECT 1, -n.level,
               format('DO %L', format(
                   'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_in_use'', MESSAGE = %L, HINT = %L; END',
                   format('index %I.%I is being built by another session', n.schema_name, n.index_name),
                   'Run sessiondb apply again when it is done.')),
               NULL
         WHERE n.isleaf AND ours.being_built
        UNION ALL
        SELECT 5, -n.level,
               format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', parent.schema_name, parent.index_name, n.schema_name, n.index_name),
               'ACCESS EXCLUSIVE'
         WHERE n.level > 0 AND ours.attached IS NOT TRUE
       ) AS s
 WHERE NOT EXISTS (SELECT FROM served AS v WHERE v.level = 0)
   AND n.relid NOT IN (SELECT a.relid FROM attached AS a)
 ORDER BY CASE s.turn WHEN 0 THEN 0 ELSE 1 END, s.place, n.table_name, s.turn

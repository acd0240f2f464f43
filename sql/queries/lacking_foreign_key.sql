-- The statements still needed for a foreign key from session_id of table $1 to sessions, in order; none if one exists,
-- under any name. Each is to be run in a transaction of its own. Each comes with the locks that it acquires, as
-- {"table": "mode"}, and the table that it reads completely.
--
-- Added NOT VALID, so the lock (SHARE ROW EXCLUSIVE on both tables) is held only briefly; validated separately under
-- SHARE UPDATE EXCLUSIVE, which blocks neither readers nor writers.
--
-- A key of the platform that is NOT VALID is not validated. Ours is recognised by its comment. One that is NOT ENFORCED
-- (PostgreSQL 18) does nothing: the platform's is ignored, and ours is created again.
--
-- A partitioned table accepts NOT VALID from PostgreSQL 18 on. Before, each partition gets its own key that way, and the
-- key of the parent then adopts those without a scan. This drops the triggers on sessions that are no longer needed,
-- which briefly blocks readers of sessions.
--
-- Longer than a screen: what exists, and a branch for each statement that may still be needed, in order.
WITH
platform AS (
    SELECT n.oid AS namespace, n.nspname,
           format('%I.sessions', n.nspname) AS sessions,
           current_setting('server_version_num')::integer >= 180000 AS takes_not_valid
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
target AS (
    SELECT t.oid, p.level, p.isleaf, h.sessions,
           format('%I.%I', tn.nspname, t.relname) AS name,
           t.relname AS table_name,
           format('%s_session_id_fkey', left(t.relname, CASE WHEN octet_length(left(t.relname, 46)) <= 47 THEN 46 ELSE 11 END)) AS key_name,
           t.relkind = 'r' OR h.takes_not_valid AS not_valid,
           CASE WHEN t.relkind = 'r' OR h.takes_not_valid THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END AS mode_on_sessions
      FROM platform AS h
      JOIN pg_class AS root ON root.relnamespace = h.namespace AND root.relname = $1
     CROSS JOIN LATERAL (
            SELECT root.oid AS relid, 0 AS level, true AS isleaf WHERE root.relkind = 'r' OR h.takes_not_valid
            UNION ALL
            SELECT pt.relid, pt.level, pt.isleaf
              FROM pg_partition_tree(root.oid) AS pt
             WHERE root.relkind = 'p' AND NOT h.takes_not_valid AND (pt.isleaf OR pt.level = 0)
           ) AS p
      JOIN pg_class AS t ON t.oid = p.relid
      JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
),
key AS (
    SELECT c.conrelid, c.conname, c.convalidated,
           coalesce(obj_description(c.oid, 'pg_constraint') LIKE '%(sessiondb)', false) AS ours,
           coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) AS enforced
      FROM pg_constraint AS c
      JOIN platform AS h ON c.confrelid = to_regclass(h.sessions)
      JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = 'session_id'
     WHERE c.contype = 'f'
       AND c.conkey = ARRAY[a.attnum]
       AND c.confkey = ARRAY(SELECT i.attnum FROM pg_attribute AS i WHERE i.attrelid = c.confrelid AND i.attname = 'id')
       AND (c.conparentid = 0 OR c.conrelid <> (SELECT p.conrelid FROM pg_constraint AS p WHERE p.oid = c.conparentid))
)
SELECT s.place, s.statement, s.locks, s.scans
  FROM (
        SELECT row_number() OVER (ORDER BY t.level DESC, t.name, s.turn) AS place, s.statement,
               json_build_object(t.table_name, s.mode, 'sessions', s.mode_on_sessions) AS locks, s.scans
          FROM target AS t
          LEFT JOIN key AS k ON k.conrelid = t.oid AND k.enforced
         CROSS JOIN LATERAL (
                SELECT 0 AS turn,
                       format('DO %L', format(
                           E'BEGIN\n'
                           '    CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L, %L]::pg_catalog.regclass[]);\n'
                           '    ALTER TABLE %s DROP CONSTRAINT %I;\n'
                           'END',
                           t.name, t.sessions, t.name, n.conname)) AS statement,
                       'ACCESS EXCLUSIVE' AS mode,
                       'ACCESS EXCLUSIVE' AS mode_on_sessions,
                       NULL::name AS scans
                  FROM key AS n
                 WHERE n.conrelid = t.oid AND n.ours AND NOT n.enforced
                UNION ALL
                SELECT 1,
                       format('DO %L', format(
                           E'BEGIN\n'
                           '    CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[]);\n'
                           '    CALL sessiondb.lock_tables(%L, ARRAY[%L]::pg_catalog.regclass[]);\n'
                           '    ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (session_id) REFERENCES %s (id) ON DELETE SET NULL%s;\n'
                           '    COMMENT ON CONSTRAINT %I ON %s IS ''A session that is deleted leaves its rows without one (sessiondb)'';\n'
                           'END',
                           t.name, t.mode_on_sessions, t.sessions, t.name, t.key_name, t.sessions,
                               CASE WHEN t.not_valid THEN ' NOT VALID' ELSE '' END,
                           t.key_name, t.name)),
                       'SHARE ROW EXCLUSIVE',
                       t.mode_on_sessions,
                       NULL
                 WHERE k.conname IS NULL
                UNION ALL
                SELECT 2,
                       format('DO %L', format(
                           'BEGIN CALL sessiondb.lock_tables(''SHARE UPDATE EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[]); '
                           'ALTER TABLE %s VALIDATE CONSTRAINT %I; END',
                           t.name, t.name, coalesce(k.conname, t.key_name))),
                       'SHARE UPDATE EXCLUSIVE',
                       'ROW SHARE',
                       t.table_name
                 WHERE t.not_valid
                   AND (k.conname IS NULL OR (k.ours AND NOT k.convalidated))
               ) AS s
       ) AS s

-- Table $2 and, if it is partitioned, its partitions: the index $1 that each is to have, and what it has.
--
-- $3 holds the possible column lists, as PostgreSQL writes them. An index is equivalent if its columns begin with one of
-- them and its predicate is $4 or missing.
--
-- index_oid       the index of that name, with is_valid, is_being_built (by another session), is_attached (to the index
--                 of a partitioned table) and is_outdated; all NULL where there is none
-- is_outdated     it has a predicate, which $4 no longer is, and is ours: by its comment or, where that is lost, because
--                 it is exactly the index that 0.1.0 created
-- is_building     another session builds an index on the table; which one only some roles may see
-- is_served       the table has an equivalent index, under any name
-- is_a_part       one is already attached to the index of the partitioned table, under any name
--
-- Longer than a screen: the tables, their indexes, and what those are good for.
WITH
root AS (
    SELECT c.oid, c.relkind
      FROM pg_namespace AS h
      JOIN pg_class AS c ON c.relnamespace = h.oid AND c.relname = $2
     WHERE h.nspname = current_setting('sessiondb.schema')
),
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
-- Only in this database: a copy of the same database may have a table with the same oid.
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
                 WHERE b.relid = i.indrelid AND coalesce(b.index_relid, i.indexrelid) = i.indexrelid) AS is_being_built,
           h.inhparent,
           d.predicate IS NOT NULL AND $4 IS NULL
               AND (coalesce(obj_description(i.indexrelid, 'pg_class') LIKE '%(sessiondb)', false)
                    OR pg_get_indexdef(i.indexrelid) ~ '^CREATE INDEX .* USING btree \(org_id, course_id, created_at DESC NULLS '
                                                       'LAST, id DESC\) WHERE \(+status\)?(::[^=]+)? = ''active''::[^=]+\)$') AS is_outdated,
           i.indisvalid
               AND c.relam = (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'btree')
               AND (d.predicate IS NULL OR d.predicate = $4)
               AND EXISTS (
                    SELECT FROM unnest($3::text[]) AS wanted (columns)
                     WHERE d.columns = wanted.columns OR starts_with(d.columns, wanted.columns || ', ')) AS is_suitable
      FROM node AS n
      JOIN pg_index AS i ON i.indrelid = n.relid
      JOIN pg_class AS c ON c.oid = i.indexrelid
      LEFT JOIN pg_inherits AS h ON h.inhrelid = i.indexrelid
     CROSS JOIN LATERAL (
            SELECT string_agg(
                       pg_get_indexdef(i.indexrelid, k.place::integer, true)
                       || CASE k.options & 3 WHEN 0 THEN '' WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' ELSE ' DESC' END,
                       ', ' ORDER BY k.place) AS columns,
                   btrim(pg_get_expr(i.indpred, i.indrelid), '()') AS predicate
              FROM unnest(i.indoption) WITH ORDINALITY AS k (options, place)
           ) AS d
)
SELECT n.*,
       ours.indexrelid AS index_oid, ours.indisvalid AS is_valid, ours.is_being_built, ours.inhparent IS NOT NULL AS is_attached,
       ours.is_outdated,
       n.relid IN (SELECT b.relid FROM builder AS b) AS is_building,
       EXISTS (SELECT FROM existing AS e WHERE e.indrelid = n.relid AND e.is_suitable) AS is_served,
       EXISTS (
            SELECT FROM existing AS e
              JOIN existing AS whole ON whole.indexrelid = e.inhparent
              JOIN node AS parent ON parent.relid = n.parentrelid AND parent.index_name = whole.relname
             WHERE e.indrelid = n.relid AND e.is_suitable) AS is_a_part
  FROM node AS n
  LEFT JOIN existing AS ours ON ours.indrelid = n.relid AND ours.relname = n.index_name

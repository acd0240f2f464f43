-- Whether Citus manages the platform's tables, and as sessiondb supports it: 'distributed', '' where it manages none of
-- them, else the first reason why not. Asked only where its catalogs are there.
--
-- The rows of students by user_id, all else to every node: then whatever a trigger reads and locks is where its row is.
WITH used AS (
    SELECT c.oid::regclass::text AS name, c.oid, c.relkind, c.relname IN ('enrollments', 'submissions') AS of_students, p.partmethod, p.repmodel,
           p.colocationid, p.partmethod = 'n' AND p.repmodel <> 't' AND p.colocationid <> 0 AS has_one_shard,
               column_to_column_name(p.logicalrelid, p.partkey) AS key,
           EXISTS (SELECT FROM pg_dist_shard AS s JOIN pg_dist_placement AS l ON l.shardid = s.shardid
                    WHERE s.logicalrelid = c.oid GROUP BY s.shardid HAVING count(*) > 1) AS has_copies
      FROM (SELECT to_regclass(format('%I.%I', current_setting('sessiondb.schema'), t.name))::oid AS oid
              FROM unnest(ARRAY['orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions']) AS t (name)
             UNION
            SELECT unnest(w.tables) FROM ({shortest_course_paths()}) AS w) AS t
      JOIN pg_class AS c ON c.oid = t.oid
      LEFT JOIN pg_dist_partition AS p ON p.logicalrelid = c.oid
)
SELECT CASE WHEN bool_and(u.partmethod IS NULL) THEN ''
            ELSE coalesce((array_agg(f.fault ORDER BY u.of_students, u.name) FILTER (WHERE f.fault IS NOT NULL))[1], 'distributed') END
  FROM used AS u
 CROSS JOIN LATERAL (
        SELECT CASE
                   WHEN u.has_one_shard
                   THEN format('table %s has one shard, as in the schema of a tenant: Citus runs whole queries, with the functions '
                               'that they call, on its worker, and the tables of schema sessiondb are not there', u.name)
                   WHEN NOT u.of_students AND (u.partmethod IS DISTINCT FROM 'n' OR u.repmodel <> 't')
                   THEN format('table %s is no reference table', u.name)
                   WHEN NOT u.of_students THEN NULL
                   WHEN u.partmethod IS DISTINCT FROM 'h' OR u.key <> 'user_id' THEN format('table %s is not distributed by user_id', u.name)
                   WHEN u.relkind <> 'r' THEN format('table %s is partitioned', u.name)
                   WHEN u.has_copies THEN format('the shards of table %s have more than one copy', u.name)
                   WHEN u.colocationid <> (SELECT min(o.colocationid) FROM used AS o WHERE o.of_students)
                   THEN 'enrollments and submissions are not colocated'
                   WHEN NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                                     WHERE i.indrelid = u.oid AND i.indisprimary AND a.attname = 'user_id')
                   THEN format('table %s has no primary key', u.name)
               END AS fault
       ) AS f

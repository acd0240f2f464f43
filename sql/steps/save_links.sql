-- The statements that copy the links of a table to sessiondb.saved_links_of_TABLE, each a short transaction over 256
-- pages (2 MB) of one partition, each with a snapshot of its own. What is written meanwhile is noted,
-- and step save_changed_links saves it. None if step prepare_saved_links created no table.
--
-- With each link, the organisation and the course of its session are saved, from the same snapshot.
--
-- The last one of each partition raises an error if it was rewritten meanwhile, as by VACUUM FULL: its rows may have moved to
-- pages that were done. Each is one file (relfilenode) until then; what is read of the catalog here is not newer than the pages.
--
-- The pages of a distributed table are elsewhere: its links are split by the first digit of user_id.
SELECT CASE WHEN b.only = '' THEN i.statement
            ELSE format('DO %L', concat('BEGIN', f.before, format(' CALL sessiondb.lock_tables(''ACCESS SHARE'', '
                'ARRAY[%L]::pg_catalog.regclass[]); ', format('%I.%I', n.nspname, c.relname)),
                                        CASE WHEN u.before IS NULL THEN u.guard || '; ' END, i.statement, ';', f.after, ' END')) END AS statement,
       json_build_object($1, CASE WHEN f.before IS NULL THEN 'ACCESS SHARE' ELSE 'ACCESS EXCLUSIVE' END,
                         'sessions', CASE WHEN f.before IS NULL THEN 'ACCESS SHARE' ELSE 'ACCESS EXCLUSIVE' END) AS locks,
       NULL::name AS scans
  FROM (
        SELECT format('sessiondb.%I', 'saved_links_of_' || $1) AS saved,
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                  FROM pg_attribute AS a
                 WHERE a.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1))
                   AND a.attnum > 0 AND NOT a.attisdropped
                   AND a.attname NOT IN ('session_id', 'session_belongs_to')) AS key_list,
               h.name AS sessions, to_regclass(h.name)::oid AS of_sessions
          FROM (SELECT format('%I.sessions', current_setting('sessiondb.schema')) AS name) AS h
       ) AS s
 CROSS JOIN LATERAL (
        SELECT to_regclass(format('%I.%I', current_setting('sessiondb.schema'), $1)) AS relid
       ) AS root
 CROSS JOIN LATERAL ({with_partitions(root.relid)}) AS leaf
  JOIN pg_class AS c ON c.oid = leaf.relid AND c.relkind = 'r'
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL ({unforced(ARRAY[leaf.relid::oid,s.of_sessions])}) AS u
 CROSS JOIN LATERAL ({unforced(ARRAY[s.of_sessions])}) AS h
 -- of leaf.relid, not of c.oid: a plan that joins leaf last would read, and wait for, all tables
 CROSS JOIN LATERAL (
        SELECT 'ONLY ' AS only, g.block AS place,
               format('ctid OPERATOR(pg_catalog.>=) %L AND ctid OPERATOR(pg_catalog.<) %L', format('(%s,0)', g.block),
                      format('(%s,0)', g.block + 256)) AS condition
          FROM generate_series(0, greatest(pg_relation_size(leaf.relid) / current_setting('block_size')::integer - 1, 0), 256) AS g (block)
         WHERE current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
        UNION ALL
        SELECT '', d.place, d.condition
          FROM ({user_slices($1)}) AS d
         WHERE current_setting('sessiondb.citus', true) = 'distributed'
        UNION ALL
        -- the last one: also those of the rows that forced row level security hides from the owner
        SELECT 'ONLY ', NULL, CASE WHEN u.before IS NOT NULL THEN 'true' END
         WHERE u.before IS NOT NULL OR current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
       ) AS b
 CROSS JOIN LATERAL (SELECT u.* WHERE b.place IS NULL UNION ALL SELECT h.* WHERE b.place IS NOT NULL) AS f
 CROSS JOIN LATERAL (
        SELECT CASE WHEN b.condition IS NULL THEN format(
                        'IF pg_catalog.pg_relation_filenode(%s::pg_catalog.oid) OPERATOR(pg_catalog.<>) %s::pg_catalog.oid THEN '
                        'RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %L, HINT = ''Run '
                        'rollback again, which saves them.''; END IF',
                        c.oid, c.relfilenode,
                            format('table %I.%I was rewritten while its links were saved, and some of them are not', n.nspname, c.relname))
                    WHEN b.only = '' THEN format(
                        'INSERT INTO %1$s (%2$s, session_id) SELECT %2$s, session_id FROM %3$I.%4$I '
                        'WHERE session_id IS NOT NULL AND %5$s ON CONFLICT DO NOTHING',
                        s.saved, s.key_list, n.nspname, c.relname, b.condition)
                    ELSE format(
                        'INSERT INTO %1$s (%2$s, session_id, session_belongs_to)'
                        ' SELECT t.*, coalesce(s.session_belongs_to, '''')'
                        ' FROM (SELECT %2$s, session_id FROM ONLY %3$I.%4$I WHERE session_id IS NOT NULL AND %5$s) AS t'
                        ' LEFT JOIN (SELECT id AS session_id, pg_catalog.concat(org_id, '' '', course_id) AS session_belongs_to FROM %6$s) AS s'
                        ' ON s.session_id OPERATOR(pg_catalog.=) t.session_id'
                        ' ON CONFLICT DO NOTHING',
                        s.saved, s.key_list, n.nspname, c.relname, b.condition, s.sessions) END AS statement
       ) AS i
 WHERE s.key_list IS NOT NULL
   AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = root.relid AND a.attname = 'session_id' AND NOT a.attisdropped)
   AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'column' AND o.parent = $1 AND o.origin = 'created')
 ORDER BY n.nspname, c.relname, b.place

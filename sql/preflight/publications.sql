-- Publications of our two tables: a subscriber stops at the first row with a column that it lacks, so it must get the
-- column first. If UPDATE is published, no row of a table without replica identity can be changed: backfills and deletions
-- of sessions would fail.
WITH published AS (
    SELECT p.pubname, p.puballtables, p.pubupdate, format('%I.%I', n.nspname, root.relname) AS name, root.oid,
           c.oid::regclass AS part, c.relkind, c.relreplident
      FROM pg_namespace AS n
      JOIN pg_class AS root ON root.relnamespace = n.oid AND root.relname IN ('enrollments', 'submissions') AND root.relkind IN ('r', 'p')
     CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
      JOIN pg_class AS c ON c.oid = node.relid AND c.relpersistence = 'p'
      JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
      JOIN pg_publication_tables AS s
        ON s.schemaname IN (n.nspname, cn.nspname) AND (s.schemaname, s.tablename) IN ((n.nspname, root.relname), (cn.nspname, c.relname))
      JOIN pg_publication AS p ON p.pubname = s.pubname
     WHERE n.nspname = current_setting('sessiondb.schema')
)
SELECT DISTINCT 'publications' AS "check", 'warning' AS level, f.object, f.detail, f.fix
  FROM (
        SELECT p.name AS object,
               format('Publication %I sends %s: a subscriber whose table lacks the column session_id stops replicating at the '
                      'next row.', p.pubname, p.name) AS detail,
               format('On each subscriber, before apply here and after a rollback here: ALTER TABLE %s ADD COLUMN session_id uuid', p.name) AS fix
          FROM published AS p
         WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = p.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
           -- a column list is not extended (PostgreSQL 15)
           AND NOT EXISTS (
                SELECT FROM pg_publication_rel AS r
                  JOIN pg_publication AS o ON o.oid = r.prpubid
                 WHERE o.pubname = p.pubname AND r.prrelid = p.oid AND to_jsonb(r) ->> 'prattrs' IS NOT NULL)
        UNION ALL
        SELECT format('publication %I', p.pubname),
               format('Publication %I sends all tables, including those that apply creates in schema sessiondb; subscribers stop '
                      'replicating at these.', p.pubname),
               'Before apply, create it again with the tables, or (PostgreSQL 15) the schemas, that subscribers have.'
          FROM published AS p
         WHERE p.puballtables
           AND to_regnamespace('sessiondb') IS NULL
        UNION ALL
        SELECT p.part::text,
               format('Publication %I sends updates of %s, which has no replica identity: neither a backfill nor the deletion of '
                      'a session can change its rows.', p.pubname, p.part),
               format('Give it a primary key, or: ALTER TABLE %s REPLICA IDENTITY FULL', p.part)
          FROM published AS p
         WHERE p.pubupdate
           AND p.relkind = 'r'
           AND p.relreplident <> 'f'
           AND NOT EXISTS (
                SELECT FROM pg_index AS i
                 WHERE i.indrelid = p.part
                   AND CASE p.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
       ) AS f
 ORDER BY f.object, f.detail

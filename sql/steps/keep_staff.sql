-- The statements that add the parameters of the policies for staff to sessiondb.installation, and policies to the kinds of
-- sessiondb.objects; none if that is done.
SELECT s.statement, NULL::json AS locks, NULL::name AS scans
  FROM (VALUES
        (1, 'ALTER TABLE sessiondb.installation ADD COLUMN staff pg_catalog.jsonb', 'installation'),
        (2, $$COMMENT ON COLUMN sessiondb.installation.staff IS 'What the policies for staff are made with; NULL where there are none'$$,
         'installation'),
        (3, 'ALTER TABLE sessiondb.objects DROP CONSTRAINT IF EXISTS objects_kind_check', 'objects'),
        (4, $$ALTER TABLE sessiondb.objects ADD CONSTRAINT objects_kind_check
              CHECK (kind OPERATOR(pg_catalog.=) ANY ('{column,constraint,index,function,trigger,policy}'))$$, 'objects')
       ) AS s (turn, statement, table_name)
 WHERE CASE s.table_name
           WHEN 'installation' THEN NOT EXISTS (
               SELECT FROM pg_attribute AS a
                WHERE a.attrelid = to_regclass('sessiondb.installation') AND a.attname = 'staff' AND NOT a.attisdropped)
           ELSE NOT EXISTS (
               SELECT FROM pg_constraint AS k
                WHERE k.conrelid = to_regclass('sessiondb.objects') AND k.conname = 'objects_kind_check'
                  AND pg_get_constraintdef(k.oid) LIKE '%policy%')
       END
 ORDER BY s.turn

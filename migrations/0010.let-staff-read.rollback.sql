-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-column, ban-drop-constraint, constraint-missing-not-valid

ALTER TABLE IF EXISTS sessiondb.installation DROP COLUMN IF EXISTS staff;

ALTER TABLE IF EXISTS sessiondb.objects DROP CONSTRAINT IF EXISTS objects_kind_check;

ALTER TABLE IF EXISTS sessiondb.objects ADD CONSTRAINT objects_kind_check
    CHECK (kind OPERATOR(pg_catalog.=) ANY ('{column,constraint,index,function,trigger}'));

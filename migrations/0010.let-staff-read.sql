-- What the policies for staff are made of: who reads, and as whom, is kept beside the course path, and sessiondb.objects
-- records policies, too. The policies come with this migration, where `apply --staff` chose the roles of staff.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0009.create-backfill_progress

ALTER TABLE sessiondb.installation ADD COLUMN IF NOT EXISTS staff pg_catalog.jsonb;

COMMENT ON COLUMN sessiondb.installation.staff IS 'What the policies for staff are made with; NULL where there are none';

ALTER TABLE sessiondb.objects DROP CONSTRAINT IF EXISTS objects_kind_check;

ALTER TABLE sessiondb.objects ADD CONSTRAINT objects_kind_check
    CHECK (kind OPERATOR(pg_catalog.=) ANY ('{column,constraint,index,function,trigger,policy}'));

-- object: function sessions_of_staff
-- object: policy sessiondb_staff_enrollments
-- object: policy sessiondb_staff_submissions

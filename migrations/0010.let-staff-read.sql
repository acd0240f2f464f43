-- What the policies for staff are made of: who reads, and as whom, is kept beside the course path, and sessiondb.objects
-- records policies, too. The policies come with this migration, where `apply --staff` chose the roles of staff.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0009.create-backfill_progress

-- step: keep_staff

-- object: function current_user_id
-- object: function sessions_of_staff
-- object: policy sessiondb_staff_enrollments
-- object: policy sessiondb_staff_submissions

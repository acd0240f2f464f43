-- The roles that are trusted: the current role, superusers, and the owners of the database and of the platform's table
-- enrollments, $1 (an oid).
SELECT r.oid FROM pg_roles AS r WHERE r.rolsuper OR r.rolname IN (current_user, 'pg_database_owner')
UNION ALL
SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()
UNION ALL
SELECT o.oid FROM (SELECT $1) AS o (oid) WHERE o.oid IS NOT NULL

-- The role that the owners of the platform's tables in schema $1 (an oid) are measured by: the owner of the table that has our
-- triggers, because the owner of all tables in a schema that was created in the place of a renamed one would trust itself. If
-- none has them, the role that owns most of the tables.
SELECT coalesce(
           ({linked_owner()}),
           (SELECT mode() WITHIN GROUP (ORDER BY o.relowner)
              FROM pg_class AS o
             WHERE o.relnamespace = $1 AND o.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')))

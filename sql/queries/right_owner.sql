-- The role that the owners of the platform's tables in schema $1 (an oid) are measured by: the owner of the table that has our
-- triggers, because the owner of all tables in a schema that was created in the place of a renamed one would trust itself.
--
-- If several roles own such tables, the owner of enrollments if it installed sessiondb and one of its tables there has them, or if a
-- trusted role installed it and both do, and not those of others: an archive that was given away may be moved to any schema. If no
-- table has them, the owner of enrollments; NULL if that is a role that is trusted for nothing else, and another one owns one of these
-- tables: either may have created its own, and have given the current role its rights.
SELECT coalesce(
           ({linked_owner()}),
           (SELECT o.relowner
              FROM pg_class AS o
             WHERE o.relnamespace = $1 AND o.relname = 'enrollments' AND o.relkind IN ('r', 'p')
               AND CASE WHEN EXISTS (SELECT FROM ({linked_tables()}) AS l) THEN
                       EXISTS (
                        SELECT FROM ({linked_tables()}) AS l
                         CROSS JOIN LATERAL (SELECT l.relnamespace = $1 AND l.relowner = o.relowner AS is_right) AS w
                        HAVING bool_or(w.is_right AND l.installed_by = o.relowner)
                            OR bool_or(l.installed_by IN (
{trusted_roles(NULL::oid)}
                               ))
                           AND count(DISTINCT l.row_of) FILTER (WHERE w.is_right) = 2
                           AND count(DISTINCT l.row_of) FILTER (WHERE l.relowner <> o.relowner) < 2)
                   ELSE ({is_sole_owner(o.relowner)}) AND (
                       o.relowner IN (
{trusted_roles(NULL::oid)}
                       )
                    OR NOT EXISTS (
                        SELECT FROM pg_class AS c
                         WHERE c.relnamespace = $1 AND c.relowner <> o.relowner
                           AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'submissions'))) END))

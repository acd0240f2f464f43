-- The owner of the tables that our triggers are on. No row before these are created, after all of them were dropped, or if the
-- tables have several owners: an archive may have been given to another role.
SELECT min(l.relowner) AS relowner
  FROM (
{linked_tables()}
       ) AS l
HAVING count(DISTINCT l.relowner) = 1

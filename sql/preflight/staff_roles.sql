-- A member can have each role of staff: the type of the column, or a CHECK that lists its values, has it. A misspelt role
-- would let no member read.
WITH allowed AS (
{allowed_values('org_members', 'role')}
)
SELECT 'staff_roles' AS "check", 'error' AS level, format('%I.org_members.role', current_setting('sessiondb.schema')) AS object,
       format('Column role of table %I.org_members cannot hold "%s", a role of --staff.', current_setting('sessiondb.schema'), s.name) AS detail,
       'Give roles that it accepts: ' || (SELECT string_agg(a.value, ', ') FROM allowed AS a) AS fix
  FROM regexp_split_to_table(btrim(nullif(current_setting('sessiondb.staff', true), '')), '\s*,\s*') AS s (name)
 WHERE s.name NOT IN (SELECT a.value FROM allowed AS a)
   AND EXISTS (SELECT FROM allowed)
 ORDER BY s.name

-- The statements still needed for a foreign key from session_id of table $1 to sessions, in order. Sessions are stored from here on,
-- so that saved links are guarded first.
SELECT s.statement, s.locks, s.scans
  FROM (
        SELECT 0::bigint AS place, g.statement, g.locks, g.scans
          FROM (
{guard_saved_links($1)}
               ) AS g
        UNION ALL
        SELECT k.place, k.statement, k.locks, k.scans
          FROM (
{lacking_foreign_key($1)}
               ) AS k
       ) AS s
 ORDER BY s.place

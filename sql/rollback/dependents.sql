-- Nothing of the platform depends on what a rollback drops: PostgreSQL would refuse to drop it when the rollback is half
-- done. The setting sessiondb.undone holds the numbers of the migrations to be undone. What depends on a dependent comes
-- before it, so the fixes can be run in this order.
WITH dropped AS (
{dropped_objects()}
),
dependent AS (
{what_depends()}
)
SELECT 'dependents' AS "check", f.level, f.object, f.detail, f.fix
  FROM (
{dependents_in_the_way()}
        UNION ALL
{dependents_dropped_too()}
       ) AS f
 ORDER BY f.level, f.depth DESC, object, f.detail

-- The tables and columns that the rules read exist and have suitable types. Of organisations only the id is needed, and a
-- view suffices: a name and a slug are read if they exist.
--
-- Tables and columns under another name are reported, because no application fills a column that is added only for
-- sessiondb.
WITH found AS (
{found_columns()}
)
SELECT DISTINCT 'required_columns' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM (
{unsuitable_tables()}
        UNION ALL
{missing_columns()}
        UNION ALL
{unsuitable_types()}
        UNION ALL
(
{unsuitable_references()}
)
        UNION ALL
{unsuitable_links()}
       ) AS f
 ORDER BY f.object, f.detail

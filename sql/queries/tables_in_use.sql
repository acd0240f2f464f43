-- The tables of the platform's schema (the setting sessiondb.schema) that our commands read or write, with their partitions and
-- parents: those of the platform, those on the way to the course, those that foreign keys, rules and triggers change and, if $1, those
-- in which only names are looked up. From some of them rows are deleted, or a key changes; is_linked are enrollments and submissions.
WITH platform AS (
    SELECT to_regnamespace(quote_ident(current_setting('sessiondb.schema')))::oid AS oid
),
changed AS (
    SELECT w.relid, w.changes_keys
      FROM platform AS h
     CROSS JOIN LATERAL (
{changed_tables(h.oid)}
           ) AS w
)
SELECT node.relid, c.relowner, bool_or(c.oid IN (SELECT d.relid FROM changed AS d WHERE d.changes_keys)) AS changes_keys,
       bool_or(c.relnamespace = h.oid AND c.relname IN ('enrollments', 'submissions')) AS is_linked
  FROM pg_class AS c
 CROSS JOIN platform AS h
 CROSS JOIN LATERAL (
{with_relatives(c.oid)}
       ) AS node
 WHERE c.relnamespace = h.oid
   AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
    OR c.oid IN (SELECT to_regclass(j.step ->> 'to') FROM sessiondb.installation AS i CROSS JOIN jsonb_array_elements(i.course_joins) AS j (step))
    OR c.oid IN (SELECT d.relid FROM changed AS d)
    OR $1 AND c.oid IN (
        SELECT u.oid
          FROM (SELECT current_setting('sessiondb.schema') AS schema) AS i
         CROSS JOIN LATERAL (
{tables_with_names(i.schema)}
               ) AS u)
 GROUP BY node.relid, c.relowner

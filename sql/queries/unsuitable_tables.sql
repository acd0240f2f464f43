-- Tables that the rules read and that are missing, or are something else.
-- WITH: found (found_columns.sql)
SELECT full_name AS object,
       format('Table %s does not exist.', full_name) AS detail,
       CASE
           WHEN id_type <> 'uuid'::regtype THEN
               format('%s may be it, but its id is of type %s: sessiondb works with uuid identifiers only.', table_like, id_type)
           WHEN table_like IS NOT NULL AND table_name = 'orgs' THEN
               format('%s may be it. If its id is a uuid, a view is enough: CREATE VIEW %s AS SELECT * FROM %s', tables_like, full_name, table_like)
           WHEN table_like IS NOT NULL THEN
               format('%s may be it. If %s, rename it and give the application a view with the old name: ALTER TABLE %s RENAME TO %I',
                      tables_like, CASE tables_like WHEN table_like THEN 'so' ELSE format('it is %s', table_like) END, table_like, table_name)
           WHEN table_name = 'orgs' THEN 'Create it, or a view of that name that shows the id, name and slug of each organisation.'
           ELSE 'Create it, or name the schema that has it with --schema.'
       END AS fix
  FROM found
 WHERE table_oid IS NULL
UNION ALL
SELECT full_name,
       format('%s is not a table.', full_name),
       format('Triggers and foreign keys need a table; name the schema that has the table %I with --schema.', table_name)
  FROM found
 WHERE NOT is_usable
UNION ALL
SELECT full_name,
       format('Table %s does not hold training sessions of organisations in courses: it has %s%s.',
              full_name, CASE WHEN has_org THEN 'no course_id' ELSE 'neither org_id nor course_id' END, ', but ' || of_logins || ', as logins have'),
       'Do not add columns to it. Name the schema of the right table with --schema, or rename this table and create the right one.'
       || coalesce(' ' || tables_like || ' may be it.', '')
  FROM found
 WHERE is_another

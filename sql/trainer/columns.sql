-- What the page reads of the platform where it is there, by the name of its place in the other queries: the first of the
-- columns that may hold it and that the role may read, as its alias and quoted name; NULL where there is none. Of the names
-- only the letters count: "submittedAt" is submitted_at.
SELECT w.place, w.type_name,
       -- a date may be later than any timestamptz
       (SELECT format(CASE WHEN y.oid = 'date'::regtype THEN 'CASE WHEN pg_catalog.isfinite(%1$s) THEN LEAST(%1$s, '
           '''294276-12-30''::pg_catalog.date) ELSE %1$s END' ELSE '%s' END,
                      w.alias || '.' || quote_ident(a.attname))
          FROM unnest(w.columns) WITH ORDINALITY AS k (name, place)
          JOIN pg_attribute AS a ON regexp_replace(lower(a.attname), '[^a-z]', '', 'g') = k.name
          JOIN pg_type AS y ON y.oid = a.atttypid
         WHERE a.attrelid = to_regclass(format('%I.%I', current_setting('sessiondb.schema'), w.table_name))
           AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
           -- by the type itself: another role may have made one with that name, and casts of it
           AND CASE w.type_name
                   WHEN 'text' THEN y.typcategory = 'S' AND (y.typnamespace = 'pg_catalog'::regnamespace OR y.typowner IN (
                       SELECT t.oid
                           FROM (SELECT ({right_owner(n.oid)}) AS owner FROM pg_namespace AS n
                                 WHERE n.nspname = current_setting('sessiondb.schema')) AS h
                        CROSS JOIN LATERAL (
{trusted_roles(h.owner)}
                              ) AS t))
                   ELSE y.oid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
               END
         ORDER BY k.place
         LIMIT 1) AS expression
  FROM (VALUES
        ('org_name', 'orgs', 'o', 'text', ARRAY['name', 'slug']),
        ('course_title', 'courses', 'c', 'text', ARRAY['title', 'name', 'slug']),
        ('session_title', 'sessions', 's', 'text', ARRAY['title', 'name', 'slug']),
        ('session_start', 'sessions', 's', 'timestamptz', ARRAY['startson', 'startsat', 'startdate', 'startat', 'startedat']),
        ('session_end', 'sessions', 's', 'timestamptz', ARRAY['endson', 'endsat', 'enddate', 'endat', 'endedat']),
        ('enrolled_at', 'enrollments', 'e', 'timestamptz', ARRAY['enrolledat', 'createdat', 'insertedat']),
        ('submitted_at', 'submissions', 'b', 'timestamptz', ARRAY['submittedat', 'createdat', 'insertedat', 'updatedat'])
       ) AS w (place, table_name, alias, type_name, columns)

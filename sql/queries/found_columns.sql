-- The tables and columns that the rules read, as the platform has them, one row per column. If one is missing, the table
-- or column under another usual name.
--
-- is_usable    it is a table, or a view that is sufficient
-- attname      NULL if the column is missing; base_type, typtype, attnotnull, ... describe it
-- table_like   a table under another usual name; id_type is the type of its id; tables_like are all of them
-- column_like  a column under another usual name, or that is in the place of the missing one in an index of sessiondb or in
--              a foreign key; type_like is its type
-- is_another   a table sessions that has another purpose, often logins; of_logins are the columns that show it
-- of_class     a column of the table that refers to a class
WITH required (table_name, column_name, kind) AS (
{rule_columns()}
),
-- other usual names of tables and columns, as regular expressions
known_as (name, pattern) AS (
    VALUES
        ('orgs', 'org|organi[sz]ations?|tenants?|teams?|compan(y|ies)|schools?|institutions?'),
        ('org_members', 'members|memberships?|{org}_?(members?|memberships?|users?)|users?_?{org}'),
        ('courses', 'course|formations?|programs?'),
        ('sessions', 'session|(training|course|class)_?sessions?|cohorts?|class(es|rooms?)?|course_?(runs?|offerings?|instances?)|promotions?'),
        ('enrollments', '(course_?)?(enroll?ments?|registrations?|inscriptions?)|(course_?users?|users?_?courses?)'),
        ('submissions', '(\w+_)?(submissions?|attempts?|answers?|responses?)'),
        ('user_id', '(student|learner|trainee|pupil|participant|member|profile|account|author)_?id|userid|submitted_by'),
        ('org_id', '{org}_?id'),
        ('course_id', 'courseid|(formation|program)_?id'),
        ('created_at', 'created|createdat|created_on|inserted_at'),
        ('status', 'state')
),
known AS (
    SELECT k.name, replace(k.pattern, '{org}', '(orgs?|organi[sz]ations?|tenants?|teams?|compan(y|ies)|schools?|institutions?)') AS pattern
      FROM known_as AS k
)
SELECT r.table_name, r.column_name, r.kind,
       format('%I.%I', n.nspname, r.table_name) AS full_name,
       c.oid AS table_oid,
       c.relkind IN ('r', 'p') AS is_table,
       c.relkind IN ('r', 'p') OR (r.table_name = 'orgs' AND c.relkind IN ('v', 'm', 'f')) AS is_usable,
       a.attname,
       format_type(a.atttypid, a.atttypmod) AS type_name,
       coalesce(nullif(t.typbasetype, 0), t.oid) AS base_type,
       t.typtype,
       a.attnotnull, a.atthasdef, a.attgenerated,
       other_table.names[1] AS table_like, other_table.id_type, array_to_string(other_table.names, ' or ') AS tables_like,
       other_column.name AS column_like, other_column.type_name AS type_like,
       r.table_name = 'sessions' AND c.relkind IN ('r', 'p') AND NOT use.has_course AND (use.of_logins IS NOT NULL OR NOT use.has_org) AS is_another,
       use.of_logins, use.of_class, use.has_org
  FROM required AS r
 CROSS JOIN pg_namespace AS n
 CROSS JOIN LATERAL (SELECT ({right_owner(n.oid)}) AS owner) AS w
  LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = r.table_name
  LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = r.column_name AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN LATERAL (
        SELECT array_agg(o.name ORDER BY o.id_type <> 'uuid'::regtype, o.name) AS names,
               (array_agg(o.id_type ORDER BY o.id_type <> 'uuid'::regtype, o.name))[1] AS id_type
          FROM (
                SELECT format('%I.%I', n.nspname, o.relname) AS name,
                       (SELECT i.atttypid::regtype FROM pg_attribute AS i
                         WHERE i.attrelid = o.oid AND i.attname = 'id' AND r.table_name IN ('orgs', 'courses', 'sessions')) AS id_type
                  FROM known AS k
                  JOIN pg_class AS o ON o.relnamespace = n.oid AND o.relkind IN ('r', 'p') AND o.relname ~* format('^(%s)$', k.pattern)
                 WHERE k.name = r.table_name
                   -- another role could have created it in order to be proposed
                   AND o.relowner IN (
{trusted_roles(w.owner)}
                       )
               ) AS o
       ) AS other_table ON true
  LEFT JOIN LATERAL (
        SELECT o.attname AS name, format_type(o.atttypid, o.atttypmod) AS type_name
          FROM pg_attribute AS o
         CROSS JOIN LATERAL (
                SELECT EXISTS (
                        SELECT FROM pg_index AS x
                          JOIN pg_class AS i ON i.oid = x.indexrelid
                          JOIN (VALUES ('sessions_active_org_id_course_id_idx', ARRAY['org_id', 'course_id', 'status', 'created_at']),
                                       ('org_members_user_id_org_id_idx', ARRAY['user_id', 'org_id']),
                                       ('enrollments_user_id_course_id_idx', ARRAY['user_id', 'course_id'])) AS w (name,
                                           columns) ON w.name = i.relname
                         WHERE x.indrelid = o.attrelid AND x.indkey[array_position(w.columns, r.column_name) - 1] = o.attnum) AS is_indexed,
                       EXISTS (
                        SELECT FROM known AS k WHERE k.name = r.column_name AND o.attname ~* format('^(%s)$', k.pattern)) AS is_known,
                       EXISTS (
                        SELECT FROM pg_constraint AS k
                          JOIN pg_constraint AS l ON l.confrelid = k.confrelid AND l.contype = 'f'
                          JOIN pg_class AS t ON t.oid = l.conrelid AND t.relnamespace = n.oid
                          JOIN pg_attribute AS s ON s.attrelid = t.oid AND s.attname = r.column_name AND l.conkey = ARRAY[s.attnum]
                          JOIN required AS q ON q.table_name = t.relname AND q.column_name = r.column_name
                         WHERE k.conrelid = o.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[o.attnum]) AS is_key
               ) AS l
         WHERE a.attname IS NULL AND o.attrelid = c.oid AND o.attnum > 0 AND NOT o.attisdropped
           AND o.attname NOT IN (SELECT q.column_name FROM required AS q WHERE q.table_name = r.table_name)
           AND (l.is_indexed OR l.is_known OR l.is_key)
         ORDER BY l.is_indexed DESC, l.is_known DESC, o.atttypid <> 'uuid'::regtype, o.attname
         LIMIT 1
       ) AS other_column ON true
 CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(o.attname ~* format('^(org_id|%s)$', (SELECT k.pattern FROM known AS k WHERE k.name = 'org_id'))), false) AS has_org,
               coalesce(bool_or(o.attname ~* format('^(course_id|%s)$',
                                                    (SELECT k.pattern FROM known AS k WHERE k.name = 'course_id'))), false) AS has_course,
               string_agg(o.attname, ', ' ORDER BY o.attnum) FILTER (
                   WHERE o.attname ~* '^(sid|sess|expires?|expires_?at|not_after|(session_?)?token|'
                                         'ip(_?address)?|user_?agent|last_activity)$') AS of_logins,
               min(o.attname::text)
                   FILTER (WHERE o.attname ~* '^(class|cohort|section|group|promotion|course_?(run|offering|instance))_?id$') AS of_class
          FROM pg_attribute AS o
         WHERE o.attrelid = c.oid AND o.attnum > 0 AND NOT o.attisdropped
       ) AS use
 WHERE n.nspname = current_setting('sessiondb.schema')

-- What the owner of the trigger functions must be able to read, and lock: SELECT of columns, and UPDATE of the table sessions.
    SELECT to_regclass(format('%I.%I', i.platform_schema, n.table_name))::oid AS table_oid, n.privilege, n.column_name
      FROM sessiondb.installation AS i
     CROSS JOIN (
            SELECT r.table_name, 'SELECT', r.column_name
              FROM (
{rule_columns()}
                   ) AS r (table_name, column_name, kind)
             WHERE r.table_name IN ('org_members', 'sessions') OR (r.table_name, r.kind) = ('enrollments', 'uuid')
            UNION ALL
            -- a lock of a row asks for UPDATE
            VALUES ('sessions', 'UPDATE', 'id'), ('enrollments', 'SELECT', 'session_id')
           ) AS n (table_name, privilege, column_name)
    UNION ALL
    -- on the path to the course, the tables that the previous one refers to
    SELECT to_regclass(j.step ->> 'from'), 'SELECT', c.name
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
     CROSS JOIN LATERAL jsonb_array_elements_text(j.step -> 'columns') AS c (name)
     WHERE j.place > 1
    UNION ALL
    SELECT to_regclass(j.step ->> 'to'), 'SELECT', c.name
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
     CROSS JOIN LATERAL jsonb_array_elements_text(j.step -> 'keys') AS c (name)
     WHERE j.place < jsonb_array_length(i.course_joins) OR j.step -> 'keys' <> '["id"]'

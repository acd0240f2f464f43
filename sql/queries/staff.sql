-- The parameters of the policies for staff, as one row; NULL if the setting sessiondb.staff names no role.
--
-- roles, current_user   of `apply --staff --current-user`; auth.uid() if nothing is given
-- readers               the roles of the policies, which must be able to call sessiondb.sessions_of_staff(): those with
--                       SELECT on the table to which row level security applies; the owner if there are none
-- of_views              other roles that must be able to, with SELECT on a view of a reader: its owner's policies apply, but the
--                       functions are called with their rights. Not PUBLIC, to which any reader could grant a view, nor a
--                       role that could call them itself, unless the view is the owner's
-- pieces                the same as SQL, which replaces a name in a source; of a table that was renamed, no reader but
--                       the current role
WITH RECURSIVE reader AS (
    SELECT c.relname, pg_get_userbyid(c.relowner) AS owner, coalesce(quote_ident(r.rolname), 'PUBLIC') AS name
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions')
     CROSS JOIN LATERAL (
            SELECT a.grantee FROM aclexplode(c.relacl) AS a WHERE a.privilege_type = 'SELECT'
             UNION
            SELECT a.grantee
              FROM pg_attribute AS t
             CROSS JOIN LATERAL aclexplode(t.attacl) AS a
             WHERE t.attrelid = c.oid AND a.privilege_type = 'SELECT'
             UNION
            SELECT c.relowner
           ) AS g
      LEFT JOIN pg_roles AS r ON r.oid = g.grantee
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND (g.grantee IN (0, c.relowner) OR NOT (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'USAGE')))
),
view (oid, owner) AS (
    SELECT c.oid, pg_get_userbyid(c.relowner)
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions')
     WHERE n.nspname = current_setting('sessiondb.schema')
     UNION
    SELECT r.ev_class, v.owner
      FROM view AS v
      JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite AS r ON r.oid = d.objid AND r.ev_type = '1'
      -- any role may make one, but not read it
      JOIN pg_class AS c ON c.oid = r.ev_class AND c.relpersistence <> 't' AND has_any_column_privilege(c.relowner, v.oid, 'SELECT')
      JOIN pg_class AS u ON u.oid = v.oid
      JOIN pg_roles AS o ON o.oid = c.relowner
     -- no policy applies to these
     WHERE u.relkind = 'v' OR NOT (o.rolsuper OR o.rolbypassrls OR pg_has_role(o.oid, u.relowner, 'USAGE'))
),
reader_of_view AS (
    SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ') AS names
      FROM view AS v
      JOIN pg_class AS c ON c.oid = v.oid AND c.relkind = 'v'
     CROSS JOIN LATERAL (
            SELECT a.grantee FROM aclexplode(c.relacl) AS a WHERE a.privilege_type = 'SELECT'
             UNION
            SELECT a.grantee FROM pg_attribute AS t CROSS JOIN LATERAL aclexplode(t.attacl) AS a WHERE t.attrelid = c.oid
                AND a.privilege_type = 'SELECT'
             UNION
            SELECT c.relowner
           ) AS g
      JOIN pg_roles AS r ON r.oid = g.grantee
     WHERE NOT (r.rolsuper OR pg_has_role(r.oid, v.owner, 'USAGE'))
       AND has_schema_privilege(r.oid, c.relnamespace, 'USAGE')
       -- with USAGE there, it could call the functions itself, which is for the owner of the tables to allow
       AND (pg_has_role(c.relowner, (SELECT n.owner FROM reader AS n LIMIT 1), 'USAGE')
            OR NOT coalesce(has_schema_privilege(r.oid, to_regnamespace('sessiondb'), 'USAGE'), false))
       AND NOT EXISTS (SELECT FROM reader AS n WHERE n.name IN (quote_ident(r.rolname), 'PUBLIC') AND n.name <> quote_ident(n.owner))
),
readers AS (
    SELECT l.relname,
           coalesce(min(l.name) FILTER (WHERE l.name = 'PUBLIC'),
                    string_agg(DISTINCT l.name, ', ') FILTER (WHERE l.name <> quote_ident(l.owner)),
                    min(l.name)) AS names
      FROM (SELECT r.relname, r.owner, r.name FROM reader AS r
            UNION ALL
            SELECT NULL, r.owner, r.name FROM reader AS r) AS l
     GROUP BY l.relname
),
given AS (
    SELECT btrim(nullif(current_setting('sessiondb.staff', true), '')) AS names,
           coalesce(nullif(current_setting('sessiondb.user_expression', true), ''),
                    (SELECT 'auth.uid()' FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
                      WHERE n.nspname = 'auth' AND p.proname = 'uid' AND p.pronargs = 0 AND p.prorettype = 'uuid'::regtype)) AS expression
)
SELECT CASE WHEN g.names IS NOT NULL THEN jsonb_build_object(
           'roles', g.names,
           'current_user', g.expression,
           'readers', (SELECT r.names FROM readers AS r WHERE r.relname IS NULL),
           'of_views', (SELECT r.names FROM reader_of_view AS r),
           'pieces', jsonb_build_object(
           'staff_roles', format('%L::pg_catalog.text[]', regexp_split_to_array(g.names, '\s*,\s*')),
           'staff_user', format(E'(%s\n)::pg_catalog.uuid', g.expression),
           'readers_of_enrollments', coalesce((SELECT r.names FROM readers AS r WHERE r.relname = 'enrollments'), 'CURRENT_ROLE'),
           'readers_of_submissions', coalesce((SELECT r.names FROM readers AS r WHERE r.relname = 'submissions'), 'CURRENT_ROLE')))
       END AS staff
  FROM given AS g

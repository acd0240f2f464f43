-- The objects that function $1 (an oid) with a parsed body uses and that a role that is not trusted could have made, each with that
-- role, or with the owner of its schema if that is the stranger: functions, operators, types, relations. $2 owns the
-- platform's table enrollments.
SELECT DISTINCT format('%s %s', i.type, i.identity) AS name, pg_get_userbyid(f.stranger) AS role
  FROM (
        SELECT d.refclassid AS classid, d.refobjid AS objid
          FROM pg_depend AS d
         WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1
        UNION
        SELECT d.refclassid, p.type_oid
          FROM pg_depend AS d
         CROSS JOIN LATERAL (
{parts_of_type(d.refobjid)}
               ) AS p
         WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1 AND d.refclassid = 'pg_type'::regclass
        UNION
        SELECT c.classid, c.objid
          FROM pg_depend AS d
         CROSS JOIN LATERAL (
{parts_of_type(d.refobjid)}
               ) AS p
         CROSS JOIN LATERAL (
{checks_of_type(p.type_oid)}
               ) AS c
         WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1 AND d.refclassid = 'pg_type'::regclass
       ) AS u
 CROSS JOIN LATERAL pg_identify_object(u.classid, u.objid, 0) AS i
  JOIN pg_namespace AS n ON quote_ident(n.nspname) = i.schema
  LEFT JOIN pg_shdepend AS o
    ON o.classid = u.classid AND o.objid = u.objid AND o.deptype = 'o'
   AND o.dbid = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())
  -- pg_shdepend has no owner of an array or of the rows of a table
  LEFT JOIN pg_type AS t ON u.classid = 'pg_type'::regclass AND t.oid = u.objid
  JOIN LATERAL unnest(ARRAY[n.nspowner, o.refobjid, t.typowner]) AS f (stranger)
    ON f.stranger NOT IN (
{trusted_roles($2)}
       )
 WHERE n.oid IN (
{open_schemas($2)}
       )
 ORDER BY name

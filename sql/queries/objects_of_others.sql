-- The objects that the query of view $1 (an oid) uses and that a role that is not trusted could have made, each with that
-- role, or with the owner of its schema if that is the stranger: functions, operators, types, relations. $2 owns the
-- platform's table enrollments.
--
-- A role that was allowed to create objects in a schema of a trusted role is trusted there, unless it is the platform's
-- schema, or every role may create objects in it: on hosted backends auth.uid() belongs to a role that is no superuser, in
-- a schema of one that is.
SELECT DISTINCT format('%s %s', i.type, i.identity) AS name, pg_get_userbyid(f.stranger) AS role
  FROM pg_rewrite AS r
  JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refobjid <> r.ev_class
 CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, 0) AS i
  JOIN pg_namespace AS n ON quote_ident(n.nspname) = i.schema
  LEFT JOIN pg_shdepend AS o
    ON o.classid = d.refclassid AND o.objid = d.refobjid AND o.deptype = 'o'
   AND o.dbid = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())
 CROSS JOIN LATERAL (
        SELECT CASE WHEN n.nspowner NOT IN ({trusted_roles($2)}) THEN n.nspowner
                    WHEN o.refobjid NOT IN ({trusted_roles($2)})
                     AND (n.nspname = current_setting('sessiondb.schema') OR has_schema_privilege('public', n.oid, 'CREATE')) THEN o.refobjid
               END AS stranger
       ) AS f
 WHERE r.ev_class = $1
   AND f.stranger IS NOT NULL
 ORDER BY name

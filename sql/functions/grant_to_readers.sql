CREATE OR REPLACE PROCEDURE sessiondb.grant_to_readers()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Lets exactly the roles of the policies for staff execute the functions that these call: others would be refused every row.
 */
DECLARE
    v_readers text := (SELECT nullif(concat_ws(', ', to_jsonb(i) -> 'staff' ->> 'readers',
                                               to_jsonb(i) -> 'staff' ->> 'of_views'), '') FROM sessiondb.installation AS i);
    v_statement text;
BEGIN
    FOR v_statement IN
        SELECT format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', p.oid::regprocedure, r.name)
          FROM pg_proc AS p
         CROSS JOIN LATERAL aclexplode(p.proacl) AS a
         CROSS JOIN LATERAL (SELECT coalesce((SELECT quote_ident(g.rolname) FROM pg_roles AS g WHERE g.oid = a.grantee), 'PUBLIC') AS name) AS r
         WHERE p.pronamespace = to_regnamespace('sessiondb') AND p.proname IN ({functions_of_policies()})
           AND a.grantee <> p.proowner
           AND coalesce(r.name <> ALL ({split_names(v_readers)}), true)
        UNION ALL
        SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', p.oid::regprocedure, v_readers)
          FROM pg_proc AS p
         WHERE p.pronamespace = to_regnamespace('sessiondb') AND p.proname IN ({functions_of_policies()})
           AND v_readers IS NOT NULL
    LOOP
        CALL sessiondb.run_on_platform(v_statement);
    END LOOP;
    UPDATE sessiondb.objects AS o SET facts = NULL WHERE o.kind = 'function' AND o.name IN ({functions_of_policies()});
END
$procedure$

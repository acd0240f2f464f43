-- The statements that restore the triggers that adopt_triggers dropped: those of table $1 and of its partitions, also
-- former ones. The trigger of a dropped table is not restored.
--
-- The definition was written under our search_path. If it would mean something else under the platform's, because an
-- operator or function of another role fits better than the intended one, it is run under ours. The definition does not show
-- the operator of IS DISTINCT FROM, of NULLIF and of CASE. If it then still uses something of a role that is not trusted, which
-- may have created it in the place of what the trigger used, the rollback stops. It is not parsed if it names a type of such a
-- role: a literal runs the CHECK of a domain then.
SELECT format('DO %L', format(
           E'DECLARE\n'
           '    v_path pg_catalog.text := pg_catalog.current_setting(''search_path'');\n'
           '    v_is_ours pg_catalog.bool := false;\n'
           'BEGIN\n'
           '    IF sessiondb.types_of_others(%2$L, %9$L::pg_catalog.oid) IS NOT NULL THEN\n'
           '        RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %6$L, HINT = %7$L;\n'
           '    END IF;\n'
           '    LOOP\n'
           '        BEGIN\n'
           '            %1$s;\n'
           '            SET LOCAL search_path TO pg_catalog, pg_temp;\n'
           '            IF NOT EXISTS (\n'
           '                SELECT FROM pg_trigger AS t\n'
           '                 WHERE starts_with(%2$L, pg_get_triggerdef(t.oid))\n'
           '                   AND NOT EXISTS (\n'
           '                        SELECT FROM pg_depend AS d\n'
           '                          LEFT JOIN pg_proc AS p ON d.refclassid = ''pg_proc''::regclass AND p.oid = d.refobjid\n'
           '                          LEFT JOIN pg_operator AS o ON d.refclassid = ''pg_operator''::regclass AND o.oid = d.refobjid\n'
           '                          LEFT JOIN pg_type AS y ON d.refclassid = ''pg_type''::regclass AND y.oid = d.refobjid\n'
           '                          LEFT JOIN pg_class AS c ON d.refclassid = ''pg_class''::regclass AND c.oid = d.refobjid\n'
           '                         WHERE d.classid = ''pg_trigger''::regclass AND d.objid = t.oid AND d.deptype = ''n''\n'
           '                           AND coalesce(p.proowner, o.oprowner, y.typowner, c.relowner) <> ALL (%5$L::oid[])))\n'
           '            THEN\n'
           '                RAISE assert_failure;\n'
           '            END IF;\n'
           '            PERFORM set_config(''search_path'', v_path, true);\n'
           '            EXIT;\n'
           '        EXCEPTION WHEN assert_failure THEN\n'
           '            SET LOCAL search_path TO pg_catalog, pg_temp;\n'
           '            IF v_is_ours THEN\n'
           '                RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %6$L, HINT = %7$L;\n'
           '            END IF;\n'
           '            v_is_ours := true;\n'
           '        END;\n'
           '    END LOOP;\n'
           '    RAISE NOTICE ''%%'', %3$L;\n'
           'EXCEPTION WHEN undefined_table THEN\n'
           '    RAISE NOTICE ''%%'', %4$L;\n'
           'WHEN undefined_column OR undefined_function OR undefined_object OR invalid_object_definition THEN\n'
           '    RAISE NOTICE ''%%'', %8$L;\n'
           'END',
           o.previous_definition, o.previous_definition,
           format('trigger %s on %s is restored', o.name, o.parent),
           format('trigger %s is not restored, as table %s is gone: %s', o.name, o.parent, o.previous_definition),
           ARRAY(
{trusted_roles(e.relowner)}
           ),
           format('trigger %s on %s cannot be restored, because it would use a function, an operator or a type of a role that is '
                  'not trusted', o.name, o.parent),
           format('Inspect what it uses: %s', o.previous_definition),
           format('trigger %s on %s is not restored, as something that it names is gone: %s', o.name, o.parent, o.previous_definition),
           e.relowner)) AS statement,
       json_build_object($1, 'SHARE ROW EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM sessiondb.objects AS o
  LEFT JOIN pg_class AS e ON e.oid = to_regclass(format('%I.enrollments', current_setting('sessiondb.schema')))
 WHERE o.kind = 'trigger'
   AND o.origin = 'replaced'
   AND o.migration = CASE $1 WHEN 'enrollments' THEN '0007' ELSE '0008' END
 ORDER BY o.parent, o.name

-- The statements that restore the triggers that adopt_triggers dropped: those of table $1 and of its partitions, also
-- former ones. The trigger of a dropped table is not restored.
--
-- The definition was written under our search_path. If it would mean something else under the platform's, because an
-- operator of another role fits better than the intended one, it is run under ours. The definition does not show the
-- operator of IS DISTINCT FROM, of NULLIF and of CASE.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    BEGIN\n'
           '        %1$s;\n'
           '        SET LOCAL search_path TO pg_catalog, pg_temp;\n'
           '        IF NOT EXISTS (\n'
           '            SELECT FROM pg_trigger AS t\n'
           '             WHERE starts_with(%2$L, pg_get_triggerdef(t.oid))\n'
           '               AND NOT EXISTS (\n'
           '                    SELECT FROM pg_depend AS d\n'
           '                      JOIN pg_operator AS p ON p.oid = d.refobjid\n'
           '                     WHERE d.classid = ''pg_trigger''::regclass AND d.objid = t.oid\n'
           '                       AND d.refclassid = ''pg_operator''::regclass AND p.oprowner <> ALL (%5$L::oid[])))\n'
           '        THEN\n'
           '            RAISE assert_failure;\n'
           '        END IF;\n'
           '        SET LOCAL search_path TO DEFAULT;\n'
           '    EXCEPTION WHEN assert_failure THEN\n'
           '        SET LOCAL search_path TO pg_catalog, pg_temp;\n'
           '        %1$s;\n'
           '        SET LOCAL search_path TO DEFAULT;\n'
           '    END;\n'
           '    RAISE NOTICE ''%%'', %3$L;\n'
           'EXCEPTION WHEN undefined_table THEN\n'
           '    RAISE NOTICE ''%%'', %4$L;\n'
           'END',
           o.previous_definition, o.previous_definition,
           format('trigger %s on %s is restored', o.name, o.parent),
           format('trigger %s is not restored, as table %s is gone: %s', o.name, o.parent, o.previous_definition),
           ARRAY(
{trusted_roles(e.relowner)}
           ))) AS statement,
       json_build_object($1, 'SHARE ROW EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM sessiondb.objects AS o
  LEFT JOIN pg_class AS e ON e.oid = to_regclass(format('%I.enrollments', current_setting('sessiondb.schema')))
 WHERE o.kind = 'trigger'
   AND o.origin = 'replaced'
   AND o.migration = CASE $1 WHEN 'enrollments' THEN '0007' ELSE '0008' END
 ORDER BY o.parent, o.name

-- The statements that make the triggers again that adopt_triggers took over, as they were: those of table $1 and of its
-- partitions, and of what is no partition any more. That of a table that is gone is gone, too.
--
-- The definition was written under our search_path. Where it says something else under the platform's, as an operator of
-- another role fits closer than the one that it means, it is run under ours.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    BEGIN\n'
           '        %1$s;\n'
           '        SET LOCAL search_path TO pg_catalog, pg_temp;\n'
           '        IF NOT EXISTS (SELECT FROM pg_trigger AS t WHERE starts_with(%2$L, pg_get_triggerdef(t.oid))) THEN\n'
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
           format('trigger %s is not restored, as table %s is gone: %s', o.name, o.parent, o.previous_definition))) AS statement,
       json_build_object($1, 'SHARE ROW EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM sessiondb.objects AS o
 WHERE o.kind = 'trigger'
   AND o.origin = 'replaced'
   AND o.parent NOT IN (
        -- what belongs to the other of the two tables
        SELECT c.relname
          FROM pg_namespace AS n
          JOIN pg_class AS other ON other.relnamespace = n.oid
           AND other.relname IN ('enrollments', 'submissions') AND other.relname <> $1
         CROSS JOIN LATERAL (
                SELECT other.oid AS relid
                UNION
                SELECT p.relid FROM pg_partition_tree(other.oid) AS p
               ) AS node
          JOIN pg_class AS c ON c.oid = node.relid
         WHERE n.nspname = current_setting('sessiondb.schema'))
 ORDER BY o.parent, o.name

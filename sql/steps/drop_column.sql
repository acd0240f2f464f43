-- The statements that drop column session_id of table $1, with its foreign key, after its links were saved. One that existed before is kept.
--
-- A partition, or a table that inherits, has the links of all its rows saved only if it was there when the trigger was
-- created: the transaction that did so (xmin) created the one of each partition, and the comment. A command that disables the
-- trigger, and so writes links that it does not note, changes its xmin, also if it is enabled again.
SELECT s.statement, json_build_object($1, 'ACCESS EXCLUSIVE', 'sessions', 'ACCESS EXCLUSIVE') AS locks, NULL::name AS scans
  FROM sessiondb.objects AS o
 CROSS JOIN LATERAL (SELECT format('%I.%I', current_setting('sessiondb.schema'), o.parent) AS name, format('%I.sessions', current_setting('sessiondb.schema')) AS sessions) AS t
 CROSS JOIN LATERAL (
        VALUES (1, format('CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L%s]::pg_catalog.regclass[])', t.name, CASE WHEN to_regclass(t.sessions) IS NOT NULL THEN format(', %L', t.sessions) END)),
               (2, format('DO %L', format(
                   E'DECLARE\n'
                   '    v_new pg_catalog.text := (\n'
                   '        WITH RECURSIVE part AS (\n'
                   '            SELECT %1$s::pg_catalog.oid AS relid\n'
                   '             UNION\n'
                   '            SELECT i.inhrelid FROM part AS p JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) p.relid\n'
                   '        )\n'
                   '        SELECT pg_catalog.min(p.relid::pg_catalog.regclass::pg_catalog.text)\n'
                   '          FROM part AS p JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) p.relid AND c.relkind OPERATOR(pg_catalog.=) ''r''\n'
                   '         WHERE NOT EXISTS (\n'
                   '                SELECT FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_description AS d ON d.xmin OPERATOR(pg_catalog.=) t.xmin\n'
                   '                  JOIN pg_catalog.pg_trigger AS w ON w.oid OPERATOR(pg_catalog.=) d.objoid AND d.classoid OPERATOR(pg_catalog.=) ''pg_catalog.pg_trigger''::pg_catalog.regclass::pg_catalog.oid\n'
                   '                 WHERE t.tgrelid OPERATOR(pg_catalog.=) p.relid AND t.tgname OPERATOR(pg_catalog.=) ''zzz_sessiondb_save''\n'
                   '                   AND w.tgrelid OPERATOR(pg_catalog.=) %1$s AND w.tgname OPERATOR(pg_catalog.=) t.tgname));\n'
                   'BEGIN\n'
                   '    IF v_new IS NOT NULL THEN\n'
                   '        RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'',\n'
                   '            MESSAGE = pg_catalog.format(''some links of table %%s are not saved: it became part of another one, or its triggers were disabled, while links were saved'', v_new),\n'
                   '            HINT = ''Run rollback again, which saves them.'';\n'
                   '    END IF;\n'
                   'END', to_regclass(t.name)::oid))),
               (3, (SELECT c.statement
                      FROM (
{save_changed_links($1)}
                           ) AS c)),
               (4, format('DROP TRIGGER IF EXISTS zzz_sessiondb_save ON %s', t.name)),
               (5, format('DROP TABLE IF EXISTS %s', 'sessiondb.changed_rows_of_' || $1)),
               (6, format('ALTER TABLE %s DROP COLUMN IF EXISTS session_id', t.name))
       ) AS s (turn, statement)
 WHERE o.kind = 'column' AND o.parent = $1 AND o.name = 'session_id' AND o.origin = 'created'
   AND to_regclass(t.name) IS NOT NULL
   AND s.statement IS NOT NULL
 ORDER BY s.turn

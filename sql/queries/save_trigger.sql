-- The statements, as text, that create the trigger that saves links of table $1, named $2, and run it for each writer; if $4, the one that
-- forgets those of rows that have a session. Its arguments are the table, the columns of the key of the saved links, an empty one, and
-- their others, $3 (text[], quoted) if there are none yet: what it would read in the catalogs may be newer than the snapshot of the
-- statement that fires it.
SELECT format('CREATE OR REPLACE TRIGGER zzz_sessiondb_save AFTER %s ON %s FOR EACH ROW %sEXECUTE FUNCTION sessiondb.%s(%L, %s)',
              CASE WHEN $4 THEN 'UPDATE OR DELETE' ELSE 'INSERT OR UPDATE OR DELETE' END, $2,
              CASE WHEN $4 THEN 'WHEN (OLD.session_id IS NOT NULL) ' END,
              CASE WHEN $4 THEN 'forget_link' ELSE 'save_link' END, $1,
              coalesce((SELECT concat_ws(', ', string_agg(quote_literal(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY (k.conkey)), '''''',
                                         string_agg(quote_literal(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)))
                          FROM pg_constraint AS k
                          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'
                         WHERE k.conrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1)) AND k.contype = 'p'
                        HAVING count(*) > 0),
                       (SELECT string_agg(quote_literal(CASE WHEN c.name <> '' THEN (parse_ident(c.name))[1] ELSE '' END), ', ' ORDER BY c.place)
                          FROM unnest($3 || '{session_belongs_to}'::text[]) WITH ORDINALITY AS c (name, place))))
       -- logical replication writes, too
       || CASE WHEN current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
               THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER zzz_sessiondb_save', $2) ELSE '' END

-- The statements, as text, that create the trigger that saves links of table $1, named $2, and run it for each writer; if $4, only of
-- rows that leave their session. Its arguments are the table and the columns of the saved links, $3 (text[], quoted) if there are
-- none yet: what it would read in the catalogs may be newer than the snapshot of the statement that fires it.
SELECT format('CREATE OR REPLACE TRIGGER zzz_sessiondb_save AFTER %s ON %s FOR EACH ROW %sEXECUTE FUNCTION sessiondb.save_link(%L, %s)',
              CASE WHEN $4 THEN 'UPDATE' ELSE 'INSERT OR UPDATE OR DELETE' END, $2,
              CASE WHEN $4 THEN 'WHEN (OLD.session_id IS NOT NULL AND NEW.session_id IS NULL) ' END, $1,
              coalesce((SELECT string_agg(quote_literal(a.attname), ', ' ORDER BY a.attnum)
                          FROM pg_attribute AS a
                         WHERE a.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1))
                           AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'),
                       (SELECT string_agg(quote_literal((parse_ident(c.name))[1]), ', ' ORDER BY c.place)
                          FROM unnest($3 || '{session_belongs_to}'::text[]) WITH ORDINALITY AS c (name, place))))
       -- logical replication writes, too
       || CASE WHEN current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
               THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER zzz_sessiondb_save', $2) ELSE '' END

-- The platform's own triggers on enrollments and submissions whose function writes one of the columns $1, names
-- separated by "|", with the table or partition of each, the statements that create it again, and the name of its table
-- in sessiondb.objects.
--
-- Derived from the text of the function: an assignment to NEW.column, INTO NEW.column, a copy of the row in which the
-- column is set and which is returned, an UPDATE of one of the two tables that sets it. NEW may also be written as a
-- whole; that counts unless the columns are named by literals and none of them is ours, as in jsonb_populate_record(NEW,
-- jsonb_build_object('updated_at', now())). A function that only compares or copies the column does not count; what
-- functions in C or called functions do is not detected.
--
-- The body needs nothing of schema sessiondb, so preflight can run it as a query before sessiondb is installed.
SELECT root.relname,
       t.tgname,
       c.oid::regclass,
       pg_get_triggerdef(t.oid)
           || coalesce((SELECT string_agg('; ' || s.statement, '') FROM ({enabled_states(c.oid, t.tgname)}) AS s (statement)), '')
           || coalesce(format('; COMMENT ON TRIGGER %I ON %I.%I IS ', t.tgname, n.nspname, c.relname)
                           || quote_literal(obj_description(t.oid, 'pg_trigger')), ''),
       ({table_in_objects(n.nspname, c.relname)}) AS parent
  FROM pg_namespace AS hn
  JOIN pg_class AS root ON root.relnamespace = hn.oid AND root.relname IN ('enrollments', 'submissions')
 CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
  JOIN pg_class AS c ON c.oid = node.relid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_trigger AS t ON t.tgrelid = c.oid
  JOIN pg_proc AS p ON p.oid = t.tgfoid
  JOIN pg_namespace AS pn ON pn.oid = p.pronamespace
 CROSS JOIN LATERAL (
        -- the text without comments and quotes of names, with the arguments of the trigger
        SELECT regexp_replace(
                   replace(regexp_replace(p.prosrc, '--[^\n]*|/\*.*?\*/', ' ', 'g'), '"', ''),
                   '\mtg_argv\s*\[[^]]*\]',
                   quote_literal(replace(replace(encode(t.tgargs, 'escape'), '\000', ' '), '\', '/')),
                   'gi') AS body
       ) AS f
 WHERE hn.nspname = current_setting('sessiondb.schema')
   AND pn.nspname <> 'sessiondb'
   AND NOT t.tgisinternal
   AND t.tgparentid = 0
   AND (
        -- a copy of the row
        f.body ~* format('(?:^|;|\mbegin|\mthen|\melse|\mloop)\s*(\w+)\s*\.\s*(?:%s)\s*:?=.*\mreturn\s+\1\M', $1)
        OR EXISTS (
            SELECT FROM string_to_table(f.body, ';') AS s (statement)
             WHERE s.statement ~* format(
                       -- NEW.column := ..., and "=" where a statement begins
                       '\mnew\s*\.\s*(%1$s)\s*:=|(^|\mbegin|\mthen|\melse|\mloop)\s*new\s*\.\s*(%1$s)\s*='
                       -- INTO [STRICT] ..., NEW.column
                       '|\minto\s+(strict\s+)?(\w[\w.]*\s*,\s*)*new\s*\.\s*(%1$s)\M'
                       -- UPDATE of one of the two tables: column among what is between SET and WHERE
                       '|\mupdate\s+(only\s+)?(\w+\s*\.\s*)?(enrollments|submissions)\M.*\mset\M(((?!\mwhere\M).)*[,(])?\s*\m(%1$s)\s*[=,)]',
                       $1)
                   -- all of NEW, or a row that is returned in its place
                OR (s.statement ~* ('\mnew\s*:=|(^|\mbegin|\mthen|\melse|\mloop)\s*new\s*=|\minto\s+(strict\s+)?new\M(?!\s*\.)'
                                    '|\mreturn\s+(jsonb?_populate_record\M|new\s*#=)')
                    -- but not if literals name only other columns
                    AND NOT (s.statement ~* ('\mjsonb?_populate_record\s*\(\s*new\s*,\s*(jsonb?_build_object\s*\(\s*)?'''
                                             '|\mnew\s*#=\s*hstore\s*\(\s*''[^'']*''\s*,')
                             AND s.statement !~* format('''(\s*\{[^'']*|[\w ]*)\m(%s)\M', $1)))))

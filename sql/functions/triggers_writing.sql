CREATE OR REPLACE FUNCTION sessiondb.triggers_writing(p_columns text)
RETURNS TABLE (table_name name, trigger_name name, is_before boolean, definition text)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The host's own triggers on enrollments and submissions whose function writes one of the columns $1,
 * names separated by "|", with the statements that make each of them again as it is.
 *
 * Read from the text of the function: an assignment to NEW.column or to all of NEW, INTO NEW.column,
 * or an UPDATE of one of the two tables that sets it. A function that only compares or copies the
 * column does not count; what a function in C or behind another call does is not seen.
 *
 * The body stands alone, so that preflight can run it as a query before anything of ours exists.
 */
SELECT c.relname,
       t.tgname,
       t.tgtype & 2 <> 0,
       pg_get_triggerdef(t.oid)
           || CASE t.tgenabled
                  WHEN 'D' THEN format('; ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname)
                  WHEN 'A' THEN format('; ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I', n.nspname, c.relname, t.tgname)
                  WHEN 'R' THEN format('; ALTER TABLE %I.%I ENABLE REPLICA TRIGGER %I', n.nspname, c.relname, t.tgname)
                  ELSE ''
              END
           || coalesce(format('; COMMENT ON TRIGGER %I ON %I.%I IS ', t.tgname, n.nspname, c.relname)
                           || quote_literal(obj_description(t.oid, 'pg_trigger')), '')
  FROM pg_trigger AS t
  JOIN pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_proc AS p ON p.oid = t.tgfoid
  JOIN pg_namespace AS pn ON pn.oid = p.pronamespace
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('enrollments', 'submissions')
   AND pn.nspname <> 'sessiondb'
   AND NOT t.tgisinternal
   AND t.tgparentid = 0
   -- the text without comments and without the quotes of names
   AND replace(regexp_replace(p.prosrc, '--[^\n]*|/\*.*?\*/', ' ', 'g'), '"', '') ~* format(
           -- NEW.column := ..., and "=" where a statement begins
           '\mnew\s*\.\s*(%1$s)\s*:=|(^|;|\mbegin|\mthen|\melse|\mloop)\s*new\s*\.\s*(%1$s)\s*='
           -- NEW := ...
           '|\mnew\s*:='
           -- INTO [STRICT] ..., NEW.column
           '|\minto\s+(strict\s+)?(\w[\w.]*\s*,\s*)*new\s*\.\s*(%1$s)\M'
           -- UPDATE of one of the two tables: column among what is between SET and WHERE
           '|\mupdate\s+(only\s+)?(\w+\s*\.\s*)?(enrollments|submissions)\M[^;]*\mset\M((?!\mwhere\M)[^;])*(?:[,(]|\mset)?\s*\m(%1$s)\s*[=,)]',
           $1)
$function$;

COMMENT ON FUNCTION sessiondb.triggers_writing(text) IS
    'The host''s own triggers on enrollments and submissions that write given columns';

REVOKE ALL ON FUNCTION sessiondb.triggers_writing(text) FROM PUBLIC;

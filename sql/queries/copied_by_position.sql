-- The statements of functions that copy rows of the two tables by position: one branch for each of the six ways.
-- WITH: grown, fired, statement (preflight/copied_rows.sql)
-- ways of which it is not known whether all columns are copied
SELECT g.nspname, g.relname, g.columns, s.name, s.text, false AS certain
  FROM grown AS g
  JOIN statement AS s
    ON s.text ~* '\minsert\s+into\M'
   AND s.text ~* format('\m%s\M', g.relname)
   AND s.text ~* format('\mreturning\s+\*|\mtable\s+(%s\s*\.\s*)?%s\M|\mdistinct\s+on\s*\(.*\*|\.\s*\*\s*,.*\(.*\mfrom\M', g.schema, g.relname)
UNION
-- INSERT INTO history SELECT NEW.*, VALUES (NEW.*)
SELECT f.nspname, f.relname, f.columns, s.name, s.text, true
  FROM fired AS f
  JOIN statement AS s ON s.oid = f.tgfoid
 WHERE s.text ~* '\minsert\s+into\M.*(\mselect|\mvalues\s*\(|,)\s*\(*\s*(new|old)\s*\)*\s*\.\s*\*'
UNION
-- EXECUTE 'INSERT INTO ... SELECT ...' USING NEW, where the text expands a parameter with .*
SELECT f.nspname, f.relname, f.columns, s.name, s.text, false
  FROM fired AS f
  JOIN statement AS s ON s.oid = f.tgfoid
 WHERE s.text ~* '\mexecute\M.*\$\d+\s*\)?\s*\.\s*\*.*\musing\M.*\m(new|old)\M'
UNION
-- INSERT INTO history SELECT * FROM new_rows
SELECT f.nspname, f.relname, f.columns, s.name, s.text, true
  FROM fired AS f
  JOIN statement AS s ON s.oid = f.tgfoid
 WHERE f.transition <> ''
   AND s.text ~* format('\minsert\s+into\M.*(\mselect\s+|,\s*|\w\s*\.\s*)\*.*\mfrom\M.*\m(%s)\M', f.transition)
UNION
-- the same from the table itself, or a result of fixed columns
SELECT g.nspname, g.relname, g.columns, s.name, s.text,
       s.is_trusted AND (s.nspname = g.nspname OR s.text ~* format('\m%s\s*\.\s*%s\M', g.schema, g.relname))
  FROM grown AS g
  JOIN statement AS s
    ON s.text ~* format('(\mselect\s+|,\s*|\w\s*\.\s*)\*[^()]*\mfrom\M.*(?<![\w.])(%s\s*\.\s*)?%s\M(?!\s*\.)',
                        g.schema, g.relname)
   AND (s.text ~* '\minsert\s+into\M'
        OR ((s.proretset OR s.prorettype = 'record'::regtype)
            AND s.prorettype <> g.reltype
            AND EXISTS (SELECT FROM pg_type AS t WHERE t.oid = s.prorettype AND (t.typtype = 'c' OR t.oid = 'record'::regtype))
            AND s.text ~* CASE s.lanname
                              WHEN 'sql' THEN '^select\M'
                              ELSE '\mreturn\s+query\s+(select|execute)\M'
                          END))
UNION
-- a list of columns as a row of the table: a comma before FROM, outside parentheses, and no *
SELECT g.nspname, g.relname, g.columns, s.name, s.text,
       s.is_trusted AND (s.prorettype = g.reltype OR s.nspname = g.nspname OR s.text ~* format('\m%s\s*\.\s*%s\M', g.schema, g.relname))
  FROM grown AS g
  JOIN statement AS s
    ON s.prorettype = g.reltype
       AND regexp_replace(regexp_replace(s.text, '\([^()]*\)', '', 'g'), '\([^()]*\)', '', 'g')
           ~* format('%s\s((?!\mfrom\M)[^*])*,((?!\mfrom\M)[^*])*(\mfrom\M|$)',
                     CASE s.lanname WHEN 'sql' THEN '^select' ELSE '\mreturn\s+query\s+select' END)
    OR s.text ~* format('\mrow\s*\(([^()*]|\([^()]*\))*\)\s*(::\s*|\mas\s+)(%s\s*\.\s*)?%s\M(?!\s*[.[])', g.schema, g.relname)

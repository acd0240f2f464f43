-- What the platform requires of a new session: how long its title may be, at most %(most)s, and that it says who creates it.
SELECT coalesce(min(least(a.atttypmod - 4, %(most)s)) FILTER (WHERE a.attname = 'title' AND a.atttypmod > 4), %(most)s) AS longest_title,
       coalesce(bool_or(a.attname = 'created_by' AND a.attnotnull), false) AS needs_creator
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
 WHERE n.nspname = current_setting('sessiondb.schema') AND c.relname = 'sessions'

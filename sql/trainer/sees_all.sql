-- Whether row level security hides nothing of what the rules look at from this role. Where it does, the rules would choose
-- among a part of the sessions.
SELECT NOT coalesce(bool_or(row_security_active(c.oid)), false) AS sees_all
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = current_setting('sessiondb.schema') AND c.relname IN ('sessions', 'org_members', 'enrollments', 'submissions')

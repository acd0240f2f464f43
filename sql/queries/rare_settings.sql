-- Settings that only some servers have, or only some roles may set: they are set to "meant" only if they differ.
SELECT s.name, s.setting, s.reset_val, CASE s.name WHEN 'transaction_timeout' THEN '0' ELSE 'origin' END AS meant
  FROM pg_settings AS s
 WHERE s.name = 'transaction_timeout'
    OR s.name = 'session_replication_role' AND (s.setting <> 'origin' OR s.reset_val <> 'origin')

-- Sets what no role or database may decide for a connection. %(is_reader)s: it only reads; %(local)s: until the end of
-- the transaction.
SELECT set_config(s.name, s.meant, %(local)s)
  FROM (
        SELECT r.name, r.meant
          FROM ({rare_settings()}) AS r
         -- for triggers and foreign keys, of which a reader fires none; not every role may set it
         WHERE NOT (%(is_reader)s AND r.name = 'session_replication_role')
        UNION ALL
        SELECT p.name,
               CASE WHEN p.name = 'lock_timeout' THEN %(patience)s
                    WHEN %(is_reader)s AND p.setting = '0' THEN '0'
                    -- a reader may pause to view the output; any of our steps may need a second
                    WHEN %(is_reader)s THEN greatest(p.setting::integer, 1000)::text
                    ELSE greatest(least(nullif(p.setting::integer, 0), %(silence)s), 1000)::text
               END
          FROM pg_settings AS p
         WHERE p.name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout')
            -- the role's own value is kept, except where each of our statements gets one
            OR p.name = 'lock_timeout' AND (p.setting = '0' OR NOT %(local)s)
       ) AS s (name, meant)

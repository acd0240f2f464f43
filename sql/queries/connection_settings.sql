-- Sets what no role or database may decide for a connection: %(is_reader)s, one that only reads; %(local)s, until the end
-- of the transaction.
SELECT set_config(s.name, s.meant, %(local)s)
  FROM (
        SELECT 'statement_timeout', '0'
        UNION ALL
        SELECT r.name, r.meant
          FROM ({rare_settings()}) AS r
         -- a reader fires no trigger, and not every role may set it
         WHERE NOT (%(is_reader)s AND r.name = 'session_replication_role')
        UNION ALL
        SELECT p.name,
               CASE WHEN %(is_reader)s AND p.setting = '0' THEN '0'
                    -- a reader may pause to look at the output; any of our steps may need a second
                    WHEN %(is_reader)s THEN greatest(p.setting::integer, 1000)::text
                    ELSE greatest(least(nullif(p.setting::integer, 0), %(silence)s), 1000)::text
               END
          FROM pg_settings AS p
         WHERE p.name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout')
        UNION ALL
        -- that of the role is as good, but where each statement of ours is given one
        SELECT p.name, %(patience)s
          FROM pg_settings AS p
         WHERE p.name = 'lock_timeout' AND (p.setting = '0' OR NOT %(local)s)
       ) AS s (name, meant)

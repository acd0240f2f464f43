-- Whether a run works on the database now: it holds sessiondb's advisory lock.
SELECT EXISTS (SELECT FROM pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                  AND (l.classid::bigint << 32 | l.objid::bigint) = %(key)s) AS is_running

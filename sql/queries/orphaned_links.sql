-- Whether rows of {table} are linked to sessions that are gone; asked where session_id is the host's own.
SELECT EXISTS (
    SELECT FROM {table} AS r
     WHERE r.session_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM sessions AS s WHERE s.id = r.session_id))

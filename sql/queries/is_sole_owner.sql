-- Whether role $1 (an oid) alone owns tables named enrollments, if no schema was named (the setting sessiondb.is_named): a role could
-- create such a table in the schema that is then taken, in order to be trusted, or give one this name for a moment.
SELECT coalesce(current_setting('sessiondb.is_named', true), '') <> 'off'
    OR NOT EXISTS (
        SELECT FROM pg_class AS other
         WHERE other.relname = 'enrollments' AND other.relkind IN ('r', 'p', 'v', 'm', 'f') AND other.relpersistence <> 't' AND other.relowner <> $1)

-- A column of ours {objects} that was dropped by hand and is created again has no foreign key: 0004 is no longer applied, until it
-- creates one. key_is_to_come() asks the ledger.
WITH wanted (kind, parent, name, arguments, migration, found_migration, sha256) AS (
{objects}
)
DELETE FROM sessiondb._yoyo_migration AS m
 WHERE starts_with(m.migration_id, '0004.')
   AND EXISTS (
        SELECT FROM wanted AS w
          JOIN pg_attribute AS a
            ON a.attrelid = to_regclass(format('%I.%I', current_setting('sessiondb.schema'), w.parent)) AND a.attname = w.name
         WHERE w.kind = 'column'
           AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]))

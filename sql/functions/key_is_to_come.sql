CREATE OR REPLACE FUNCTION sessiondb.key_is_to_come(p_table regclass)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether a table or partition has no foreign key of session_id because an apply is between 0002 and 0004. A session that a row were
 * given could then be created again, with its id, for another organisation. A key that was dropped by hand is reported by
 * check foreign_keys.
 *
 * The snapshot of a REPEATABLE READ transaction may show a key that was dropped since; the trigger of the key, which
 * pg_get_triggerdef() looks up, is then gone. Nor can its ledger be believed: the table may be a partition that is newer, which has
 * the key of its table.
 */
DECLARE
    v_is_gone boolean;
BEGIN
    -- for nearly every row, and cheaper than to look for the key
    IF current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
       AND EXISTS (SELECT FROM sessiondb._yoyo_migration AS m WHERE starts_with(m.migration_id, '0004.'))
    THEN
        RETURN false;
    END IF;
    v_is_gone := (
        SELECT bool_and(pg_get_triggerdef(t.oid) IS NULL)
          FROM pg_constraint AS k
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'session_id'
          JOIN pg_trigger AS t ON t.tgconstraint = k.oid  -- before PostgreSQL 15 a partitioned table has none itself
         WHERE k.conrelid IN (p_table, pg_partition_root(p_table)) AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]);
    IF v_is_gone THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = format('could not serialize access: the foreign key of session_id of table %s was dropped meanwhile', p_table);
    END IF;
    RETURN v_is_gone IS NULL;
END
$function$

CREATE OR REPLACE FUNCTION sessiondb.key_is_to_come(p_table regclass)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether a table (or partition) without a foreign key of session_id is so in the middle of an apply. A session that a row were
 * given could then be created again, with its id, for another organisation. In the middle of a rollback, save_link() saves what
 * it belongs to. A key that was dropped by hand is reported by check foreign_keys.
 */
SELECT NOT EXISTS (SELECT FROM sessiondb._yoyo_migration AS m WHERE starts_with(m.migration_id, '0004.'))
   AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = p_table AND t.tgname = 'zzz_sessiondb_save')
$function$

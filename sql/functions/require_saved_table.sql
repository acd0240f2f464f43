CREATE OR REPLACE PROCEDURE sessiondb.require_saved_table(p_relation regclass, p_table text, p_trigger name)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * For save_link() and forget_link(): an error if their trigger is not on the table of the platform that its argument names, or a
 * partition of it: a role that can call these functions could attach them to its own table. And a serialization failure if the snapshot
 * of the transaction is older than the trigger: it would neither see all that was saved nor what the rows are now. What is saved after
 * that conflicts with what the transaction saves.
 */
BEGIN
    IF coalesce(pg_partition_root(p_relation), p_relation) IS DISTINCT FROM (SELECT to_regclass(format('%I.%I', i.platform_schema, p_table)) FROM sessiondb.installation AS i) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('trigger %I is on a table whose links sessiondb does not save', p_trigger),
            HINT = 'Drop that trigger.';
    END IF;
    -- one takes the place of the other; pg_get_triggerdef() shows the one that there is now, not that of the snapshot
    IF NOT EXISTS (
        SELECT FROM pg_trigger AS t
         WHERE t.tgrelid = p_relation AND t.tgname = p_trigger
           AND strpos(pg_get_triggerdef(t.oid), format(' %s(', t.tgfoid::regproc)) > 0)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = format('could not serialize access: links of table "%s" were saved meanwhile', p_table);
    END IF;
END
$procedure$

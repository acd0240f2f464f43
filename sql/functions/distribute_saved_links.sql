CREATE OR REPLACE PROCEDURE sessiondb.distribute_saved_links(p_table text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Has the saved links of enrollments or submissions (p_table) kept where the rows are, where Citus distributes these: a
 * trigger on a worker saves them, and may not reach another server. They may be of a rollback before the tables were
 * distributed, and have another key.
 */
DECLARE
    v_name text := 'saved_links_of_' || p_table;
    v_saved regclass := to_regclass(format('sessiondb.%I', v_name));
    v_key text := (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname <> 'user_id', a.attnum)
          FROM pg_attribute AS a
          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
         WHERE a.attrelid = v_saved AND (a.attnum = ANY (k.conkey) OR a.attname = 'user_id'));
    v_statement text;
BEGIN
    IF v_saved IS NULL OR EXISTS (
{citus_manager(v_saved)}
    ) THEN
        RETURN;
    END IF;
    FOREACH v_statement IN ARRAY ARRAY[
        format('DELETE FROM sessiondb.%I WHERE user_id IS NULL', v_name),
        format('ALTER TABLE sessiondb.%I DROP CONSTRAINT %I', v_name, v_name || '_pkey'),
        format('ALTER TABLE sessiondb.%I ADD CONSTRAINT %I PRIMARY KEY (%s)', v_name, v_name || '_pkey', v_key),
        format('SELECT pg_catalog.create_distributed_table(%L, %L, colocate_with => %L)', format('sessiondb.%I', v_name), 'user_id',
               (SELECT format('%I.%I', i.platform_schema, p_table) FROM sessiondb.installation AS i))]
    LOOP
        CALL sessiondb.run_on_platform(v_statement);
    END LOOP;
END
$procedure$

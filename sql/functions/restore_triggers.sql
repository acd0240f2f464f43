CREATE OR REPLACE PROCEDURE sessiondb.restore_triggers(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Makes the triggers again that adopt_triggers() took over, as they were: those of the table and of its
 * partitions, and of what is no partition any more. That of a table that is gone is gone, too.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table, only where there is such a trigger.
 */
DECLARE
    v_trigger record;
BEGIN
    FOR v_trigger IN
        DELETE FROM sessiondb.objects AS o
         WHERE o.kind = 'trigger'
           AND o.origin = 'replaced'
           AND o.parent NOT IN (
                -- what belongs to the other of the two tables
                SELECT c.relname
                  FROM sessiondb.installation AS i
                  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
                  JOIN pg_class AS other ON other.relnamespace = n.oid
                   AND other.relname IN ('enrollments', 'submissions') AND other.relname <> p_table
                 CROSS JOIN LATERAL (
                        SELECT other.oid AS relid
                        UNION
                        SELECT p.relid FROM pg_partition_tree(other.oid) AS p
                       ) AS node
                  JOIN pg_class AS c ON c.oid = node.relid)
        RETURNING o.parent, o.name, o.previous_definition AS definition
    LOOP
        BEGIN
            EXECUTE v_trigger.definition;
            RAISE NOTICE 'trigger % on % is restored', v_trigger.name, v_trigger.parent;
        EXCEPTION WHEN undefined_table THEN
            RAISE NOTICE 'trigger % is not restored, as table % is gone: %', v_trigger.name, v_trigger.parent, v_trigger.definition;
        END;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_triggers(name) IS
    'Makes the platform''s triggers again that sessiondb took over';

REVOKE ALL ON PROCEDURE sessiondb.restore_triggers(name) FROM PUBLIC;

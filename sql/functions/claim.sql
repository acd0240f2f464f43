CREATE OR REPLACE PROCEDURE sessiondb.claim(p_kind text, p_parent name, p_name name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Notes, before an object is made, whether it is ours or was there already: found objects survive a
 * rollback, and of a function that we replace the old definition is kept. Said once, it stands: a
 * run that is repeated after a crash finds what the first one made and must not take it for the
 * platform's.
 */
BEGIN
    INSERT INTO sessiondb.objects (kind, parent, name, origin, previous_definition)
    SELECT p_kind, p_parent, p_name,
           CASE
               WHEN l.definition IS NULL THEN 'created'
               WHEN p_kind = 'function' THEN 'replaced'
               -- guarding the column since it was added; preflight refuses such a name of somebody else's
               WHEN p_kind = 'trigger' AND starts_with(p_name, 'zzz_sessiondb_') THEN 'created'
               -- what a concurrent build that failed left behind is dropped and built again
               WHEN p_kind = 'index' AND EXISTS (
                    SELECT FROM sessiondb.installation AS i
                      JOIN pg_namespace AS n ON n.nspname = i.platform_schema
                      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = p_name AND c.relkind = 'i'
                      JOIN pg_index AS x ON x.indexrelid = c.oid AND NOT x.indisvalid) THEN 'created'
               ELSE 'found'
           END,
           l.definition
      FROM (VALUES (true)) AS always (here)
      LEFT JOIN sessiondb.live_objects AS l ON l.kind = p_kind AND l.parent = p_parent AND l.name = p_name
    ON CONFLICT DO NOTHING;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.claim(text, name, name) IS
    'Notes whether an object that is about to be made is ours or was found in the platform';

REVOKE ALL ON PROCEDURE sessiondb.claim(text, name, name) FROM PUBLIC;

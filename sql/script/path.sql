-- The initial path of this connection is the platform's; ours is set for everything that does not touch its tables.
SET search_path TO DEFAULT;
SELECT pg_catalog.set_config('sessiondb.search_path', pg_catalog.concat_ws(', ', (
           SELECT pg_catalog.string_agg(pg_catalog.concat('"', pg_catalog.replace(s.name::pg_catalog.text, '"', '""'), '"'), ', ' ORDER BY s.place)
             FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s (name, place)
            WHERE NOT pg_catalog.starts_with(s.name::pg_catalog.text, 'pg_temp')
       ), 'pg_temp'), false) AS sessiondb_search_path \gset
SET search_path TO pg_catalog, pg_temp;

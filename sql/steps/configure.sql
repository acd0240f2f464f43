-- Records what the functions are compiled with: the platform's schema, its search_path, and the path from a submission to
-- its course, given by the setting sessiondb.course_path or else the shortest along the foreign keys; and version $1.
--
-- Version 0.1.0 recorded the adopted trigger of a partition in another schema without that schema, so that one on a table of
-- that name would take its place: its record is named as this version does.
WITH adopted AS (
    UPDATE sessiondb.objects AS o
       SET parent = ({table_in_objects(n.nspname, c.relname)})
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE o.kind = 'trigger'
       AND o.origin = 'replaced'
       AND o.parent = c.relname
       AND n.nspname <> current_setting('sessiondb.schema')
       AND strpos(o.previous_definition, format(' ON %I.%I ', n.nspname, c.relname)) > 0
)
INSERT INTO sessiondb.installation AS i (platform_schema, search_path, version, course_path, course_pieces, course_joins)
SELECT current_setting('sessiondb.schema'), ({pinned_path()}), $1, p.path, p.pieces, p.joins
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN ({shortest_course_paths()}) AS p ON true
ON CONFLICT (singleton) DO UPDATE
   SET platform_schema = EXCLUDED.platform_schema,
       search_path = EXCLUDED.search_path,
       version = EXCLUDED.version,
       course_path = coalesce(EXCLUDED.course_path, i.course_path),
       course_pieces = coalesce(EXCLUDED.course_pieces, i.course_pieces),
       course_joins = coalesce(EXCLUDED.course_joins, i.course_joins)
 WHERE (i.platform_schema, i.search_path, i.version, i.course_path, i.course_pieces, i.course_joins) IS DISTINCT FROM (
        EXCLUDED.platform_schema, EXCLUDED.search_path, EXCLUDED.version, coalesce(EXCLUDED.course_path, i.course_path),
        coalesce(EXCLUDED.course_pieces, i.course_pieces), coalesce(EXCLUDED.course_joins, i.course_joins))

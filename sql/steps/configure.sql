-- Records what the functions are compiled with: the platform's schema, its search_path, and the path from a submission to
-- its course, given by the setting sessiondb.course_path or else the shortest along the foreign keys; and version $1.
INSERT INTO sessiondb.installation AS i (platform_schema, search_path, version, course_path, course_pieces, course_joins)
SELECT current_setting('sessiondb.schema'), current_setting('sessiondb.search_path'), $1, p.path, p.pieces, p.joins
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

SELECT md5(concat(
           (SELECT string_agg(o::text, E'\n' ORDER BY o.kind, o.parent, o.name) FROM sessiondb.objects AS o),
           (SELECT string_agg(i::text, E'\n') FROM sessiondb.installation AS i),
           (SELECT string_agg(m::text, E'\n' ORDER BY m.migration_id) FROM sessiondb.migration_content AS m)))

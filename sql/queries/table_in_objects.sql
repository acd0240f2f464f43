-- The name of table $2 of schema $1, one of the two tables or a partition, in sessiondb.objects: with the schema if that is not
-- the platform's. One that is too long for the column begins with a hash, so that no two are the same.
SELECT CASE
           WHEN $1 = current_setting('sessiondb.schema') THEN $2::text
           WHEN octet_length(q.name) < 64 THEN q.name
           ELSE left(md5(q.name), 8) || '...' || right(q.name, 13)
       END::name
  FROM (VALUES (concat($1, '.', $2))) AS q (name)

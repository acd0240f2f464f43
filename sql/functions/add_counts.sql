CREATE OR REPLACE FUNCTION sessiondb.add_counts(p_one jsonb, p_other jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The sum of two objects of counts: {"a": 1} and {"a": 2, "b": 3} give {"a": 3, "b": 3}.
 */
SELECT coalesce(jsonb_object_agg(s.key, s.count), '{}')
  FROM (SELECT e.key, sum(e.value::bigint)::bigint AS count
          FROM (SELECT * FROM jsonb_each_text(p_one) UNION ALL SELECT * FROM jsonb_each_text(p_other)) AS e
         GROUP BY e.key) AS s
$function$

CREATE OR REPLACE FUNCTION sessiondb.query_of_saved_link(p_table text, p_relation regclass, p_user_id uuid)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For check_session(): the query, as text, that returns true if the row of enrollments or submissions (p_table), of user p_user_id, has a
 * saved link to session $2: a trigger of the platform may link other rows when an apply restores one. The row is $1 now, and was $4
 * before triggers changed it. $3 is the organisation and the course of the session: clients may give one the id of a deleted one.
 *
 * Not with to_jsonb() of the row: jsonb holds no string of 256 MB, and a type of the platform may have a cast to json that fails.
 */
SELECT coalesce((
    SELECT format('SELECT true FROM %1$s AS r, (SELECT %2$s FROM (SELECT ($1).*) AS x) AS n, (SELECT %2$s FROM (SELECT ($4).*) AS x) AS b'
                  ' WHERE r.session_id OPERATOR(pg_catalog.=) $2 AND %3$s%4$s%5$s',
                  c.oid::regclass, w.columns, w.is_same,
                  (SELECT ' AND r.session_belongs_to OPERATOR(pg_catalog.=) ANY (ARRAY[$3, ''?''])'
                     FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_belongs_to'),
                  -- citus: format(' AND r.user_id OPERATOR(pg_catalog.=) %L', p_user_id) /*
                  CASE WHEN w.shared_key IS NOT NULL THEN
                      format(' AND (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.<) 2 FROM (SELECT %s FROM %s) AS o WHERE %s)',
                             w.columns, h.root, w.shared_key) END
                  -- citus: */
                  )
      FROM (SELECT 'n' AS row, 'b' AS before) AS t
     CROSS JOIN pg_class AS c
     CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(p_relation), p_relation) AS root) AS h
     CROSS JOIN LATERAL (
            SELECT ({same_row(c.oid, t.row, t.before)}) AS is_same, ({shared_key(c.oid, h.root)}) AS shared_key,
                   -- the columns without their row: one that was renamed would else be a call of a function
                   (SELECT string_agg(quote_ident(a.attname), ', ')
                      FROM pg_attribute AS a
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                         AND a.attname NOT IN ('session_id', 'session_belongs_to')) AS columns
             OFFSET 0  -- once, not wherever it is named: this is asked for each row that an apply restores
           ) AS w
     -- a table that another role left in the schema is not ours: those of a rollback belong to the owner, and are there only after one
     WHERE c.oid = to_regclass('sessiondb.saved_links_of_' || p_table) AND pg_get_userbyid(c.relowner) = current_user
       -- or it is newer than the snapshot
       AND w.is_same IS NOT NULL
), 'SELECT false')
$function$

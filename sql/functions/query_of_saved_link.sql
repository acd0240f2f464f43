CREATE OR REPLACE FUNCTION sessiondb.query_of_saved_link(p_table text, p_relation regclass, p_user_id uuid)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For check_session(): the statement, as text, that takes the saved link of a row of enrollments or submissions (p_table), stored in
 * p_relation and of user p_user_id, to session $2, and returns true: an apply restores it as it was, even if a membership has ended
 * since. It is taken, because its row could get another key, and another row this one. The row is $1 now, and was $4 before triggers
 * changed it. $3 is the organisation and the course of the session: clients may give a session the id of a deleted one. NULL if
 * no links are saved, or all are restored, or while a rollback saves them.
 *
 * Not with to_jsonb() of the row: jsonb holds no string of 256 MB, and a type of the platform may have a cast to json that fails.
 */
SELECT format(
           -- citus: 'SELECT true FROM %s AS r WHERE r.session_id OPERATOR(pg_catalog.=) $2 AND %s%s%s', /*
           -- if the session is not stored, the link stays saved
           CASE WHEN sessiondb.key_is_to_come(p_relation) THEN 'SELECT true FROM %s AS r WHERE r.session_id OPERATOR(pg_catalog.=) $2 AND %s%s'
                ELSE 'DELETE FROM %s AS r WHERE r.session_id OPERATOR(pg_catalog.=) $2 AND %s%s RETURNING true' END,
           -- citus: */
           c.oid::regclass,
           w.is_same || CASE WHEN w.shared_key IS NULL THEN '' ELSE
               format(' AND (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.<) 2 FROM %s AS o WHERE %s)', h.root, w.shared_key) END,
           CASE WHEN EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_belongs_to') THEN
               ' AND r.session_belongs_to OPERATOR(pg_catalog.=) ANY (ARRAY[$3, ''?''])' END
           -- citus: , format(' AND r.user_id OPERATOR(pg_catalog.=) %L', p_user_id)
       )
  FROM (SELECT '($1)' AS row, '($4)' AS before) AS t
 CROSS JOIN pg_class AS c
 CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(p_relation), p_relation) AS root) AS h
 CROSS JOIN LATERAL (SELECT ({same_row(c.oid, t.row, t.before)}) AS is_same, ({shared_key(c.oid, h.root)}) AS shared_key) AS w
 -- a table that another role left in the schema is not ours: those of a rollback belong to the owner, and are there only after one
 WHERE c.oid = to_regclass('sessiondb.saved_links_of_' || p_table) AND pg_get_userbyid(c.relowner) = current_user
   -- or it is newer than the snapshot
   AND w.is_same IS NOT NULL
   -- the ledger is on the coordinator only
   -- citus: /*
   AND NOT EXISTS (SELECT FROM sessiondb._yoyo_migration AS m WHERE starts_with(m.migration_id, '0006.'))
   -- rows keep their links while a rollback saves them, also of what is inserted
   AND NOT EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgrelid = p_relation AND g.tgname = 'zzz_sessiondb_save' AND g.tgtype & 4 <> 0)
   -- citus: */
   -- without one, preflight refuses to restore the links
   AND NOT EXISTS (
        SELECT FROM pg_attribute AS s
         WHERE s.attrelid = c.oid AND s.attnum > 0 AND NOT s.attisdropped AND s.attname <> 'session_belongs_to'
           AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = p_relation AND a.attname = s.attname AND NOT a.attisdropped))
$function$

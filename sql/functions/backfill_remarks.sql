CREATE OR REPLACE FUNCTION sessiondb.backfill_remarks(p_session_id uuid)
RETURNS SETOF text
LANGUAGE plpgsql
AS $function$
/*
 * Remarks before a backfill of this session, or of all (NULL): that nothing is linked to a session that is not active,
 * from which tables row level security may hide rows, and which triggers of the platform fire.
 */
BEGIN
    CALL sessiondb.require_trusted();
    RETURN QUERY
        SELECT pg_catalog.format('Session %s is %s, and only active ones are chosen: nothing will be linked to it.', s.id, s.status)
          FROM platform.sessions AS s
         WHERE s.id OPERATOR(pg_catalog.=) p_session_id
           AND NOT s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active';
    RETURN QUERY
        SELECT pg_catalog.format('Row level security may hide rows of %s from role %s: rows are linked by what it sees.',
                                 pg_catalog.string_agg(h.full_name, ', '), current_user)
          FROM sessiondb.hidden_tables() AS h
         WHERE NOT h.shows_all
        HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0;
    RETURN QUERY
        SELECT t.remark
          FROM sessiondb.triggers_that_fire() AS t (remark);
END
$function$

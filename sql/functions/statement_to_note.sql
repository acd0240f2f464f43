CREATE OR REPLACE FUNCTION sessiondb.statement_to_note(p_log text, p_relation regclass, p_columns text[])
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For note_change(): the statement, as text, that notes columns p_columns of row $1 of relation p_relation in table p_log. A column may have
 * another type since. A value that is none of the type that the saved links have is in no saved link, and is not noted. Only the user is, if the
 * value would depend on a setting of the client, such as TimeZone.
 *
 * The columns without their row: one that was renamed would else be a call of a function.
 */
BEGIN
    -- for nearly every row, and cheaper than what follows
    IF NOT EXISTS (
        SELECT FROM pg_attribute AS a
          JOIN pg_attribute AS n ON n.attrelid = to_regclass(p_log) AND n.attname = a.attname AND n.atttypid <> a.atttypid
         WHERE a.attrelid = p_relation AND a.attname = ANY (p_columns))
    THEN
        RETURN (
            SELECT format('INSERT INTO %1$s (%2$s) SELECT %2$s FROM (SELECT ($1).*) AS x WHERE true%3$s', p_log, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
                          string_agg(format(' AND %I IS NOT NULL', c.name), '') FILTER (WHERE c.name <> 'user_id'))
              FROM unnest(p_columns) WITH ORDINALITY AS c (name, place));
    END IF;
    RETURN (
        SELECT CASE WHEN bool_or(d.depends_on_setting) THEN format('INSERT INTO %s (user_id) SELECT user_id FROM (SELECT ($1).*) AS x', p_log)
                    ELSE format('INSERT INTO %s (%s) SELECT %s FROM (SELECT ($1).*) AS x WHERE true%s', p_log, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
                                string_agg(quote_ident(c.name) || coalesce('::' || y.saved, ''), ', ' ORDER BY c.place),
                                string_agg(concat(CASE WHEN c.name <> 'user_id' THEN format(' AND %I IS NOT NULL', c.name) END,
                                                  CASE WHEN y.saved IS NOT NULL THEN format(' AND (%1$I::%2$s)::%3$s = %1$I', c.name, y.saved, y.held) END), '' ORDER BY c.place)) END
          FROM unnest(p_columns) WITH ORDINALITY AS c (name, place)
          LEFT JOIN pg_attribute AS a ON a.attrelid = p_relation AND a.attname = c.name
          -- that of the log may be newer than the snapshot
          LEFT JOIN pg_attribute AS n ON n.attrelid = to_regclass(p_log) AND n.attname = c.name
          LEFT JOIN LATERAL (SELECT ({base_type(a.atttypid)}) AS held, ({base_type(n.atttypid)}) AS saved) AS y ON y.held <> y.saved
         CROSS JOIN LATERAL (
                -- without a cast, the value is converted by its text
                SELECT bool_or(p.provolatile <> 'i') AS depends_on_setting
                  FROM pg_type AS h
                  JOIN pg_type AS s ON h.oid = y.held::regtype AND s.oid = y.saved::regtype
                  LEFT JOIN pg_cast AS k ON (k.castsource, k.casttarget) = (h.oid, s.oid)
                  LEFT JOIN pg_cast AS b ON (b.castsource, b.casttarget) = (s.oid, h.oid)
                  JOIN pg_proc AS p ON p.oid IN (k.castfunc, b.castfunc) OR k.castsource IS NULL AND p.oid IN (h.typinput, h.typoutput, s.typinput, s.typoutput)
               ) AS d);
END
$function$

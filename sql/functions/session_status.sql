CREATE OR REPLACE FUNCTION sessiondb.session_status(p_status text, p_is_used boolean)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * p_status, if a session may have it; raises invalid_parameter_value otherwise. If the platform lists its statuses, in an
 * enum or a CHECK, the platform decides when the row is written. If the column accepts any text, a misspelled status
 * would create a session to which no row is ever linked, so only the usual words and those in use (p_is_used) are
 * accepted, the usual words in lower case.
 */
DECLARE
    v_labels text[];
    v_has_check boolean;
    v_is_known boolean;
BEGIN
    SELECT (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = a.atttypid),
           EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey))
      INTO v_labels, v_has_check
      FROM sessiondb.installation AS i
      JOIN pg_attribute AS a ON a.attrelid = to_regclass(format('%I.sessions', i.platform_schema)) AND a.attname = 'status';
    v_is_known := CASE
        WHEN v_labels IS NOT NULL THEN p_status = ANY (v_labels)
        ELSE v_has_check OR p_is_used
             OR lower(p_status) IN ('draft', 'planned', 'scheduled', 'active', 'paused', 'completed', 'cancelled', 'archived')
    END;
    IF v_is_known THEN
        RETURN CASE WHEN v_labels IS NULL AND NOT v_has_check AND NOT p_is_used THEN lower(p_status) ELSE p_status END;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('unknown session status "%s"', p_status),
        HINT = coalesce('The platform knows: ' || array_to_string(v_labels, ', '),
            'The status that links students is active; others in use are for instance draft, scheduled, completed, cancelled.');
END
$function$

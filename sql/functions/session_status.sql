CREATE OR REPLACE FUNCTION sessiondb.session_status(p_status text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * p_status, if it is one that a session may have; raises invalid_parameter_value otherwise. Where the platform lists
 * its statuses, in an enum or a CHECK, the platform decides, when the row is written. Where the column takes any text,
 * a mistyped status would make a session that nobody is ever linked to, so only the usual words and those in use are
 * taken.
 */
DECLARE
    v_labels text;
BEGIN
    SELECT pg_catalog.string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
      INTO v_labels
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_enum AS e ON e.enumtypid = a.atttypid
     WHERE a.attrelid = 'sessions'::pg_catalog.regclass::oid AND a.attname = 'status';
    IF v_labels IS NOT NULL THEN
        IF p_status <> ALL (pg_catalog.string_to_array(v_labels, ', ')) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_parameter_value',
                MESSAGE = pg_catalog.format('unknown session status "%s"', p_status),
                HINT = 'The platform knows: ' || v_labels;
        END IF;
        RETURN p_status;
    END IF;
    IF p_status IN ('draft', 'planned', 'scheduled', 'active', 'paused', 'completed', 'cancelled', 'archived')
        OR EXISTS (SELECT FROM sessions AS s WHERE s.status::text = p_status)
        OR EXISTS (
            SELECT FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = 'sessions'::pg_catalog.regclass::oid
               AND a.attname = 'status'
               AND EXISTS (
                    SELECT FROM pg_catalog.pg_constraint AS c
                     WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)))
    THEN
        RETURN p_status;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'invalid_parameter_value',
        MESSAGE = pg_catalog.format('unknown session status "%s"', p_status),
        HINT = 'The status that links students is active; others in use are for instance draft, scheduled, completed, cancelled.';
END
$function$

\if :sessiondb_is_pending
DO $preflight$
DECLARE
    v_finding record;
    v_table text;
    v_held record;
    v_query text;
    v_errors text := '';
BEGIN
    IF to_regnamespace(quote_ident(current_setting('sessiondb.schema'))) IS NULL THEN
        RAISE EXCEPTION USING
            MESSAGE = format('schema "%s" does not exist in this database', current_setting('sessiondb.schema')),
            HINT = 'Write the script with --schema and the name of the schema that holds enrollments and submissions.';
    END IF;
    FOR v_finding IN
        WITH known_path AS MATERIALIZED (
{course_paths()}
        )
{checks}
    LOOP
        -- a role that may name an object could forge a line, or control the terminal
        v_finding.detail := regexp_replace(v_finding.detail, E'[{invisible}]', '?', 'g');
        v_finding.fix := (
            SELECT string_agg(regexp_replace(p.part, CASE p.n % 2 WHEN 1 THEN '(?!\n(Then|Or|If)\M)' ELSE '' END
                                             || E'[{invisible}]', '?', 'g'), '"' ORDER BY p.n)
              FROM string_to_table(v_finding.fix, '"') WITH ORDINALITY AS p (part, n));
        IF v_finding.level = 'error' THEN
            v_errors := v_errors || format(E'\n  %s\n    fix: %s', v_finding.detail,
                                           replace(v_finding.fix, E'\n', E'\n    '));
        ELSE
            RAISE WARNING USING MESSAGE = v_finding.detail, HINT = v_finding.fix;
        END IF;
    END LOOP;
    -- only a server that has Citus knows the function in this query
    IF current_setting('sessiondb.citus', true) = 'distributed' THEN
        EXECUTE $workers$
SELECT coalesce(string_agg(format(E'\n  %s\n    fix: %s', f.detail, f.fix), ''), '')
  FROM (
{worker_rights}
       ) AS f
        $workers$ INTO v_query;
        v_errors := v_errors || v_query;
    END IF;
    -- rows are read only if everything else is correct
    IF v_errors = '' THEN
        FOR v_table IN
{unproven_links}
        LOOP
            -- whose they are was asked before this could wait for one
            SELECT h.*
              INTO v_held
              FROM (SELECT current_setting('sessiondb.schema') AS schema, '{}'::text[] AS path, NULL::name[] AS names) AS p
             CROSS JOIN LATERAL (
{held_tables(p.schema, p.path, p.names)}
                   ) AS h;
            EXECUTE v_held.statement;
            SELECT m.name
              INTO v_held.statement
              FROM (
{renamed_meanwhile(v_held.names, v_held.oids)}
                   ) AS m
            UNION ALL
            SELECT format('table %s', t.object)
              FROM (SELECT current_setting('sessiondb.schema') AS schema) AS given
             CROSS JOIN LATERAL (
{tables_of_others(given.schema)}
                   ) AS t
             LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION '% was renamed or replaced while this waited for it', v_held.statement;
            END IF;
            v_query := {orphaned_links};
            PERFORM set_config('search_path', current_setting('sessiondb.platform_path'), true);
            EXECUTE v_query INTO v_finding;
            SET LOCAL search_path TO pg_catalog, pg_temp;
            IF v_finding.detail IS NOT NULL THEN
                v_errors := v_errors || format(E'\n  %s\n    fix: %s', v_finding.detail, v_finding.fix);
            END IF;
        END LOOP;
    END IF;
    IF v_errors <> '' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            -- a statement is ready to paste
            MESSAGE = 'preflight refuses this platform; nothing was changed:' || regexp_replace(
                v_errors,
                '^(    (?:fix: )?([^:\n]+: )?({statements}) .*[^;])$',
                '\1;', 'gn');
    END IF;
END
$preflight$;
{staff};
\endif

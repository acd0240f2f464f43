-- Refuses parameters from which no policies for staff can be created, before anything is changed.
DO $staff$
DECLARE
    v_staff jsonb := ({staff()});
    v_members regclass := to_regclass(format('%I.org_members', current_setting('sessiondb.schema')));
    v_table_owner oid := (SELECT ({right_owner(n.oid)}) FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema'));
    v_name text := 'sessiondb_' || gen_random_uuid();
    v_function oid;
    v_expression text := v_staff #>> '{pieces,staff_user}';
    v_text text;
    v_of_others text;
    v_lacking text;
    v_recursive text;
    v_is_simple boolean;
    v_unknown text;
BEGIN
    IF v_staff IS NULL THEN
        RETURN;
    END IF;
    -- a table of another role is not read, and the next checks refuse it
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = v_members AND c.relkind IN ('r', 'p')) THEN
        PERFORM set_config('search_path', current_setting('sessiondb.platform_path'), true);
        EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE', v_members);
        SET LOCAL search_path TO pg_catalog, pg_temp;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_class AS c
         WHERE c.oid = v_members AND c.relkind IN ('r', 'p') AND c.oid = to_regclass(format('%I.org_members', current_setting('sessiondb.schema')))
           AND c.relowner IN (
{trusted_roles(v_table_owner)}
               ))
    THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = v_members AND a.attname = 'role' AND NOT a.attisdropped) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'table org_members has no column role, which --staff needs',
            HINT = $hint$Add it or restore its name; or run: sessiondb apply --staff ''$hint$;
    END IF;
    IF v_staff ->> 'current_user' IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'there is no function auth.uid() that returns the uuid of the current user',
            HINT = $hint$Give the expression with --current-user, for instance "nullif(current_setting('app.user_id', true), '')".$hint$;
    END IF;
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN;  -- a dry run, which cannot have the names of the expression looked up
    END IF;
    -- Each name of the expression is looked up once, here, before anything of it runs. A function has what the names mean,
    -- and under this path its text qualifies those that are not of pg_catalog. No other role knows its name.
    BEGIN
        -- first without its literals: one of a domain's array would run the CHECK while it is parsed
        FOREACH v_text IN ARRAY ARRAY[({without_literals(v_expression)}), v_expression] LOOP
            PERFORM set_config('search_path', current_setting('sessiondb.platform_path'), true);
            EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION %I.%I() RETURNS pg_catalog.uuid LANGUAGE sql RETURN %s',
                                      pg_catalog.current_setting('sessiondb.schema'), v_name, v_text);
            SET LOCAL search_path TO pg_catalog, pg_temp;
            v_function := to_regprocedure(format('%I.%I()', current_setting('sessiondb.schema'), v_name));
            v_of_others := (
                SELECT string_agg(format('%s of role %I', f.name, f.role), ', ')
                  FROM (
{objects_of_others(v_function, v_table_owner)}
                       ) AS f);
            EXIT WHEN v_of_others IS NOT NULL;
        END LOOP;
        v_expression := substring(pg_get_function_sqlbody(v_function) FROM '^RETURN (.*)$');
        -- the policies evaluate it with the rights of the reader
        v_lacking := (
            SELECT string_agg(g.statement, '; ' ORDER BY g.statement)
              FROM (
{lacking_grants(v_function, v_staff ->> 'readers')}
                   ) AS g);
        v_recursive := (
            SELECT min(r.relid::regclass::text)
              FROM (
{read_through_policies(v_function)}
                   ) AS r
             WHERE r.relid IN (SELECT to_regclass(format('%I.%I', current_setting('sessiondb.schema'), t.name))
                                 FROM unnest('{enrollments,submissions}'::text[]) AS t (name)));
        -- tried only if nothing of the platform would run, which may call a function of another role in turn
        v_is_simple := NOT EXISTS (
            SELECT FROM pg_depend AS d
             WHERE d.classid = 'pg_proc'::regclass AND d.objid = v_function AND d.refclassid <> 'pg_namespace'::regclass);
        IF v_of_others IS NULL AND v_recursive IS NULL THEN
            PERFORM set_config('search_path', current_setting('sessiondb.platform_path'), true);
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.string_agg(r.name, '', '') FROM pg_catalog.unnest(%s) AS r (name)'
                ' WHERE NOT EXISTS (SELECT FROM %s AS m WHERE m.role::pg_catalog.text OPERATOR(pg_catalog.=) r.name)',
                v_staff OPERATOR(pg_catalog.#>>) '{pieces,staff_roles}', v_members) INTO v_unknown;
            IF v_is_simple THEN
                EXECUTE pg_catalog.format('SELECT %I.%I()', pg_catalog.current_setting('sessiondb.schema'), v_name);
            END IF;
            SET LOCAL search_path TO pg_catalog, pg_temp;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'SDB01';
    EXCEPTION
        WHEN SQLSTATE 'SDB01' THEN
            NULL;  -- the function is gone
        WHEN OTHERS THEN
            RAISE EXCEPTION USING
                ERRCODE = SQLSTATE,
                MESSAGE = format('the expression of --current-user, %s, cannot be evaluated: %s', v_staff ->> 'current_user', SQLERRM),
                HINT = 'Give an SQL expression of a uuid with --current-user, which the owner of the platform''s tables can evaluate.'
                       ' Write functions with their schema, and literals as ''...''::type.';
    END;
    IF v_of_others IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the expression of --current-user, %s, uses %s, and would run it with the rights of each role that reads',
                             v_staff ->> 'current_user', v_of_others),
            HINT = 'Give another expression with --current-user; or, if you trust a function, give it and its schema to the owner of the tables.';
    END IF;
    IF v_recursive IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the expression of --current-user, %s, reads table %s, itself or by a policy, and so each policy for '
                             'staff would call itself',
                             v_staff ->> 'current_user', v_recursive),
            HINT = 'Give an expression that calls a SECURITY DEFINER function with a search_path of its own.';
    END IF;
    IF v_lacking IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the expression of --current-user, %s, cannot be evaluated by every role that reads', v_staff ->> 'current_user'),
            HINT = v_lacking || '; or call a SECURITY DEFINER function with a search_path of its own';
    END IF;
    PERFORM set_config('sessiondb.user_expression', v_expression, false);
    IF v_unknown IS NOT NULL THEN
        RAISE NOTICE 'no member of an organisation has the role %', v_unknown;
    END IF;
END
$staff$;

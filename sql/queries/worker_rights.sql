-- The workers of Citus on which this role may not create what apply creates there, too; asked only where the tables are
-- distributed.
SELECT 'worker_rights' AS "check", 'error' AS level,
       format('%s:%s', w.nodename, w.nodeport) AS object,
       format('Role %s may not create a schema, or a function in schema %s, on worker %s:%s%s.', current_user, s.name, w.nodename, w.nodeport,
              CASE WHEN NOT w.success THEN ': ' || w.result END) AS detail,
       format('Run there: SET citus.enable_ddl_propagation TO off; GRANT CREATE ON DATABASE %I TO %I; GRANT USAGE, CREATE ON '
              'SCHEMA %s TO %2$I', current_database(), current_user, s.name) AS fix
  FROM (SELECT quote_ident(current_setting('sessiondb.schema')) AS name) AS s
 CROSS JOIN LATERAL run_command_on_workers(
            -- one right a call: of a list, any one would do
            format('SELECT has_database_privilege(current_database(), ''CREATE'') AND has_schema_privilege(%1$L, ''USAGE'')'
                   ' AND has_schema_privilege(%1$L, ''CREATE'')', current_setting('sessiondb.schema'))) AS w
 WHERE NOT w.success OR w.result <> 't'
 ORDER BY object

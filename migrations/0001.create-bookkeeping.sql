-- Schema sessiondb: the ledger (yoyo-migrations' tables, so that its own tools can read it), and what
-- we know of the platform and of the objects that we made in it.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.

-- squawk-ignore-file prefer-text-field, prefer-timestamp-tz, prefer-bigint-over-int

CREATE SCHEMA IF NOT EXISTS sessiondb;

COMMENT ON SCHEMA sessiondb IS
    'sessiondb: links enrolments and submissions to training sessions; nothing in here is meant for applications';

REVOKE ALL ON SCHEMA sessiondb FROM PUBLIC;

-- The three tables of yoyo-migrations 9, with the columns and the version mark that it expects.
CREATE TABLE IF NOT EXISTS sessiondb._yoyo_migration (
    migration_hash varchar(64) PRIMARY KEY,
    migration_id varchar(255),
    applied_at_utc timestamp
);

COMMENT ON TABLE sessiondb._yoyo_migration IS 'The migrations that are applied (yoyo-migrations)';

CREATE TABLE IF NOT EXISTS sessiondb._yoyo_log (
    id varchar(36) PRIMARY KEY,
    migration_hash varchar(64),
    migration_id varchar(255),
    operation varchar(10),
    username varchar(255),
    hostname varchar(255),
    comment varchar(255),
    created_at_utc timestamp
);

COMMENT ON TABLE sessiondb._yoyo_log IS 'Every apply and rollback of a migration, by whom and when (yoyo-migrations)';

CREATE TABLE IF NOT EXISTS sessiondb._yoyo_version (
    version integer PRIMARY KEY,
    installed_at_utc timestamp
);

COMMENT ON TABLE sessiondb._yoyo_version IS 'The version of the ledger''s own tables (yoyo-migrations)';

INSERT INTO sessiondb._yoyo_version (version, installed_at_utc)
SELECT v.version, pg_catalog.timezone('UTC', pg_catalog.now())
  FROM (VALUES (1), (2)) AS v (version)
ON CONFLICT DO NOTHING;

-- yoyo's hash is of a migration's name only; this one is of its text.
CREATE TABLE IF NOT EXISTS sessiondb.migration_content (
    migration_id text PRIMARY KEY,
    sha256 text NOT NULL
);

COMMENT ON TABLE sessiondb.migration_content IS 'What each applied migration said';
COMMENT ON COLUMN sessiondb.migration_content.sha256 IS
    'SHA-256 of the migration and its rollback, line endings and trailing blanks left out';

CREATE TABLE IF NOT EXISTS sessiondb.installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    platform_schema name NOT NULL,
    course_path text,
    course_pieces text[],
    course_joins jsonb
);

COMMENT ON TABLE sessiondb.installation IS 'What sessiondb knows of its platform; one row';
COMMENT ON COLUMN sessiondb.installation.platform_schema IS 'The schema with sessions, enrollments and submissions';
COMMENT ON COLUMN sessiondb.installation.course_path IS 'The columns that lead from a submission to its course';
COMMENT ON COLUMN sessiondb.installation.course_pieces IS
    'The SQL expression of a submission''s course, cut where the name of its row belongs';
COMMENT ON COLUMN sessiondb.installation.course_joins IS
    'What is joined with what from submissions to courses: from, columns, to, keys, operators';

INSERT INTO sessiondb.installation (platform_schema)
VALUES (pg_catalog.current_setting('sessiondb.schema'))
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS sessiondb.objects (
    kind text NOT NULL CHECK (kind IN ('column', 'constraint', 'index', 'function', 'trigger')),
    parent name NOT NULL,
    name name NOT NULL,
    origin text NOT NULL CHECK (origin IN ('created', 'found', 'replaced')),
    definition text,
    previous_definition text,
    PRIMARY KEY (kind, parent, name)
);

COMMENT ON TABLE sessiondb.objects IS 'The objects that sessiondb needs in the platform, and which of them were there before';
COMMENT ON COLUMN sessiondb.objects.parent IS 'The table of a column, constraint, index or trigger; the schema of a function';
COMMENT ON COLUMN sessiondb.objects.origin IS 'created by us; found, and left alone by a rollback; replaced, and restored by a rollback';
COMMENT ON COLUMN sessiondb.objects.definition IS 'As the catalogs showed it when it was made';
COMMENT ON COLUMN sessiondb.objects.previous_definition IS 'What was there before us';

CREATE OR REPLACE VIEW sessiondb.live_objects AS
-- Ours alone: to ask for the definition of an index takes a lock on its table.
WITH platform_table AS (
    SELECT c.oid, c.relname
      FROM sessiondb.installation AS i
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = i.platform_schema
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
     WHERE c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
)
SELECT 'column' AS kind, c.relname AS parent, a.attname AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS definition
  FROM platform_table AS c
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid)
  FROM platform_table AS c
  JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid
UNION ALL
SELECT 'index', c.relname, x.relname, pg_catalog.pg_get_indexdef(d.indexrelid)
  FROM platform_table AS c
  JOIN pg_catalog.pg_index AS d ON d.indrelid = c.oid
  JOIN pg_catalog.pg_class AS x ON x.oid = d.indexrelid
UNION ALL
SELECT 'trigger', c.relname, t.tgname, pg_catalog.pg_get_triggerdef(t.oid)
  FROM platform_table AS c
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'function', n.nspname, p.proname,
       pg_catalog.pg_get_functiondef(p.oid)
       || pg_catalog.format('; COMMENT ON %s %I.%I(%s) IS %L', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                            n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes),
                            pg_catalog.obj_description(p.oid, 'pg_proc'))
  FROM sessiondb.installation AS i
  JOIN pg_catalog.pg_namespace AS n ON n.nspname IN (i.platform_schema, 'sessiondb')
  JOIN pg_catalog.pg_proc AS p ON p.pronamespace = n.oid AND p.prokind IN ('f', 'p')
 WHERE n.nspname = 'sessiondb'
    OR (p.proname = 'get_user_session_for_course'
        AND pg_catalog.oidvectortypes(p.proargtypes) = 'uuid, uuid');

COMMENT ON VIEW sessiondb.live_objects IS
    'The definitions that the catalogs show now, to compare with sessiondb.objects; read it with pg_catalog as search_path, on which their spelling depends';

CREATE OR REPLACE PROCEDURE sessiondb.claim(p_kind text, p_parent name, p_name name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Notes, before an object is made, whether it is ours or was there already: found objects survive a
 * rollback, and of a function that we replace the old definition is kept. Said once, it stands: a
 * run that is repeated after a crash finds what the first one made and must not take it for the
 * platform's.
 */
BEGIN
    INSERT INTO sessiondb.objects (kind, parent, name, origin, previous_definition)
    SELECT p_kind, p_parent, p_name,
           CASE
               WHEN l.definition IS NULL THEN 'created'
               WHEN p_kind = 'function' THEN 'replaced'
               -- guarding the column since it was added; preflight refuses such a name of somebody else's
               WHEN p_kind = 'trigger' AND starts_with(p_name, 'zzz_sessiondb_') THEN 'created'
               -- what a concurrent build that failed left behind is dropped and built again
               WHEN p_kind = 'index' AND EXISTS (
                    SELECT FROM sessiondb.installation AS i
                      JOIN pg_namespace AS n ON n.nspname = i.platform_schema
                      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = p_name AND c.relkind = 'i'
                      JOIN pg_index AS x ON x.indexrelid = c.oid AND NOT x.indisvalid) THEN 'created'
               ELSE 'found'
           END,
           l.definition
      FROM (VALUES (true)) AS always (here)
      LEFT JOIN sessiondb.live_objects AS l ON l.kind = p_kind AND l.parent = p_parent AND l.name = p_name
    ON CONFLICT DO NOTHING;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.claim(text, name, name) IS
    'Notes whether an object that is about to be made is ours or was found in the platform';

REVOKE ALL ON PROCEDURE sessiondb.claim(text, name, name) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.record_definitions()
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Keeps the definition of each claimed object as the catalogs show it now, at the end of the
 * migration that made it; status and check compare with it ever after. What has a definition
 * already keeps it: a change made by hand must not become the norm by a later migration.
 */
BEGIN
    UPDATE sessiondb.objects AS o
       SET definition = l.definition
      FROM sessiondb.live_objects AS l
     WHERE l.kind = o.kind AND l.parent = o.parent AND l.name = o.name
       AND o.definition IS NULL;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.record_definitions() IS
    'Keeps the definitions of newly made objects, for status and check to compare with';

REVOKE ALL ON PROCEDURE sessiondb.record_definitions() FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.is_ours(p_kind text, p_parent name, p_name name)
RETURNS boolean
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether we made the object, so that a rollback may take it away.
 */
SELECT EXISTS (
    SELECT FROM sessiondb.objects AS o
     WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name AND o.origin <> 'found'
)
$function$;

COMMENT ON FUNCTION sessiondb.is_ours(text, name, name) IS
    'Whether sessiondb made the object, so that a rollback may take it away';

REVOKE ALL ON FUNCTION sessiondb.is_ours(text, name, name) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE sessiondb.withdraw_default_grants()
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Takes back what default privileges of the platform (ALTER DEFAULT PRIVILEGES without IN SCHEMA) gave to
 * other roles on what was made in schema sessiondb: there are backends that grant everything to the
 * roles of their API that way. What was granted by hand to other roles than those stays.
 */
DECLARE
    v_revoke text;
BEGIN
    FOR v_revoke IN
        WITH object (type, owner, acl, name) AS (
            SELECT 'n', n.nspowner, n.nspacl, format('SCHEMA %I', n.nspname)
              FROM pg_namespace AS n
             WHERE n.nspname = 'sessiondb'
            UNION ALL
            SELECT 'r', c.relowner, c.relacl, format('TABLE %s', c.oid::regclass)
              FROM pg_class AS c
             WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v')
            UNION ALL
            SELECT 'f', p.proowner, p.proacl, format('ROUTINE %s', p.oid::regprocedure)
              FROM pg_proc AS p
             WHERE p.pronamespace = to_regnamespace('sessiondb')
        )
        SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', o.name,
                               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
          FROM object AS o
          JOIN pg_default_acl AS d ON d.defaclrole = o.owner AND d.defaclobjtype = o.type AND d.defaclnamespace = 0
         CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g
         CROSS JOIN LATERAL aclexplode(o.acl) AS a
         WHERE a.grantee = g.grantee
           AND a.grantee <> o.owner
           -- which functions are for everybody is said where they are made
           AND NOT (o.type = 'f' AND a.grantee = 0)
         ORDER BY 1
    LOOP
        EXECUTE v_revoke;
        RAISE NOTICE 'default privileges of the platform withdrawn: %', v_revoke;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.withdraw_default_grants() IS
    'Takes back what default privileges of the platform gave to other roles in schema sessiondb';

REVOKE ALL ON PROCEDURE sessiondb.withdraw_default_grants() FROM PUBLIC;

CALL sessiondb.withdraw_default_grants();

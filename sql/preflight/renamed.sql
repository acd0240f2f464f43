-- The tables and columns of sessiondb still have their names, and no second one has our marks: a renamed column would be
-- taken for missing and created again without its links, or be left behind by a rollback. A column is recognised by its
-- comment, a table by its foreign key and triggers, which CREATE TABLE ... (LIKE ...) does not copy.
--
-- An apply warns if both the old and the new one exist; a rollback (setting sessiondb.undone) would leave one.
WITH place AS (
    SELECT n.oid, n.nspname FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema')
),
linked (name) AS (VALUES ('enrollments'), ('submissions')),
-- not by to_regclass(), because a role may lack USAGE on the schema
named AS (
    SELECT c.relname, c.oid, c.relowner FROM place AS p JOIN pg_class AS c ON c.relnamespace = p.oid
),
-- any role that may create tables in the schema could give one such a name, key and comment
trusted AS (
    SELECT t.oid
      FROM (SELECT ({right_owner(p.oid)}) AS oid FROM place AS p) AS o
     CROSS JOIN LATERAL (
{trusted_roles(o.oid)}
           ) AS t
),
-- a partition has those of its table
key AS (
    SELECT l.name, k.conrelid, k.confrelid
      FROM linked AS l
      JOIN pg_constraint AS k ON k.contype = 'f' AND k.conparentid = 0 AND k.conname = l.name || '_session_id_fkey'
      JOIN pg_class AS c ON c.oid = k.conrelid AND c.relpersistence <> 't' AND NOT c.relispartition
     WHERE obj_description(k.oid, 'pg_constraint') LIKE '%(sessiondb)'
       AND c.relowner IN (SELECT t.oid FROM trusted AS t)
),
moved AS (
    SELECT 'table' AS kind, w.name, w.relid, NULL::name AS column_name,
           n.oid IS NOT NULL AS has_both, n.relowner NOT IN (SELECT t.oid FROM trusted AS t) AS is_of_stranger
      FROM (
            SELECT k.name, k.conrelid AS relid FROM key AS k
            UNION
            SELECT l.name, t.tgrelid
              FROM linked AS l
              JOIN pg_trigger AS t ON t.tgname = 'zzz_sessiondb_link_' || rtrim(l.name, 's') AND NOT t.tgisinternal
              JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace = to_regnamespace('sessiondb')
              JOIN pg_class AS c ON c.oid = t.tgrelid AND NOT c.relispartition
            UNION
            SELECT 'sessions', k.confrelid FROM key AS k
             -- if there is another one, a separate error reports that the key refers to the old one
             WHERE NOT EXISTS (SELECT FROM named AS n WHERE n.relname = 'sessions')
           ) AS w
      LEFT JOIN named AS n ON n.relname = w.name
     WHERE n.oid IS DISTINCT FROM w.relid
    UNION ALL
    SELECT 'column', 'session_id', c.oid, a.attname,
           EXISTS (SELECT FROM pg_attribute AS o WHERE o.attrelid = c.oid AND o.attname = 'session_id' AND NOT o.attisdropped), false
      FROM linked AS l
      JOIN named AS c ON c.relname = l.name AND c.relowner IN (SELECT t.oid FROM trusted AS t)
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attname <> 'session_id'
     WHERE col_description(c.oid, a.attnum) LIKE 'The training session %(sessiondb)'
)
SELECT 'renamed' AS "check",
       CASE WHEN m.has_both AND NOT m.is_of_stranger
           AND coalesce(current_setting('sessiondb.undone', true), '') = '' THEN 'warning' ELSE 'error' END AS level,
       t.name AS object,
       CASE WHEN m.has_both THEN format('%s was created or linked by sessiondb, and another %s exists.', t.name, m.name)
            ELSE format('%s was %s when sessiondb was installed.', t.name, m.name) END AS detail,
       CASE
           WHEN m.is_of_stranger THEN 'See whose that one is: sessiondb check table_owners'
           WHEN m.has_both AND c.relowner NOT IN (SELECT t.oid FROM trusted AS t) THEN
               format('It belongs to role %I now. See what that role has made of it before you read it.', pg_get_userbyid(c.relowner))
           WHEN m.has_both
               AND k.same_row IS NULL THEN 'The two have no key in common. Copy the links that you need after apply, then drop the column there.'
           -- both or neither. A row whose membership has ended would be refused, as is one that has no course, or another one, by now;
           -- one that was linked since is left to who knows why
           WHEN m.has_both THEN format('After apply, copy the links of members, and drop all of them there if each fits its row: DO %L', format(
               'DECLARE r record; BEGIN %1$s '
               'FOR r IN SELECT n.tableoid AS relation, n.ctid AS row_id, o.%2$I AS link FROM %3$s AS n, %4$s AND n.session_id IS NULL LOOP '
               'BEGIN UPDATE %3$s SET session_id = r.link WHERE tableoid OPERATOR(pg_catalog.=) r.relation '
               'AND ctid OPERATOR(pg_catalog.=) r.row_id AND session_id IS NULL; '
               'EXCEPTION WHEN check_violation THEN NULL; END; END LOOP; '
               'IF EXISTS (SELECT 1 FROM %3$s AS n, %4$s '
               'AND n.session_id OPERATOR(pg_catalog.<>) o.%2$I) THEN RAISE EXCEPTION USING MESSAGE = %5$L, HINT = %6$L; END IF; '
               'IF EXISTS (SELECT 1 FROM %3$s AS n, %4$s AND n.session_id IS NULL) THEN RAISE WARNING USING MESSAGE = %7$L, HINT = %8$L; ELSE '
               || 'ALTER TABLE %9$s DROP COLUMN %2$I CASCADE' || '; END IF; END',
               -- the columns without their table: else that of one that was renamed would be a call of a function
               format('PERFORM %s, session_id FROM %s LIMIT 0;', k.columns, y.name), y.link, y.name, y.old || ' ' || y.of_member,
               format('rows of %s have another session by now', y.name),
                   format('Set it to the one in %s, or drop column %I there.', m.relid::regclass, y.link),
               format('rows of %s have another course than their session by now, or none, and no link', y.name),
               format('Their links are still in %1$s. If you do not need them: ALTER TABLE %1$s DROP COLUMN %2$I CASCADE',
                      m.relid::regclass, y.link), m.relid::regclass))
           WHEN m.kind = 'column' THEN format('Restore its name: ALTER TABLE %s RENAME COLUMN %I TO session_id', m.relid::regclass, m.column_name)
           WHEN c.relname <> m.name THEN format('Restore its name: ALTER TABLE %s RENAME TO %I', m.relid::regclass, m.name)
           ELSE format('Move it back: ALTER TABLE %s SET SCHEMA %I', m.relid::regclass, p.nspname)
       END AS fix
  FROM moved AS m
  JOIN pg_class AS c ON c.oid = m.relid
 CROSS JOIN place AS p
 CROSS JOIN LATERAL (
        SELECT CASE m.kind WHEN 'column' THEN format('Column %I of table %s', m.column_name, m.relid::regclass)
                           ELSE format('Table %s', m.relid::regclass) END AS name
       ) AS t
 CROSS JOIN LATERAL (
        -- n.id would be a call of a function id() of any role where the other table has no such column
        SELECT CASE WHEN bool_and(b.attname IS NOT NULL) THEN
                   string_agg(format('o.%1$I %2$s n.%1$I%3$s', a.attname, e.operator, e.right_cast), ' AND ' ORDER BY a.attnum) END AS same_row,
               concat_ws(', ', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> 'user_id'), 'user_id') AS columns
          FROM pg_index AS i
          JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         CROSS JOIN LATERAL ({equal(a.atttypid)}) AS e
          LEFT JOIN pg_attribute AS b ON b.attname = a.attname AND NOT b.attisdropped
           AND b.attrelid = to_regclass(format('%I.%I', p.nspname, CASE m.kind WHEN 'table' THEN m.name ELSE c.relname END))
         WHERE i.indrelid = m.relid AND i.indisprimary
       ) AS k
 CROSS JOIN LATERAL (
        SELECT format('%I.%I', p.nspname, CASE m.kind WHEN 'table' THEN m.name ELSE c.relname END) AS name, l.link,
               format('(SELECT %s, %I FROM %s) AS o', k.columns, l.link, m.relid::regclass) AS old,
               format('JOIN (SELECT id, org_id FROM %1$I.sessions) AS s ON s.id OPERATOR(pg_catalog.=) o.%2$I WHERE %3$s '
                      'AND n.user_id OPERATOR(pg_catalog.=) o.user_id'
                      ' AND EXISTS (SELECT 1 FROM (SELECT org_id, user_id FROM %1$I.org_members) AS m '
                      'WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) o.user_id)',
                      p.nspname, l.link, k.same_row) AS of_member
          FROM (SELECT coalesce(m.column_name, 'session_id') AS link) AS l
       ) AS y
 ORDER BY t.name

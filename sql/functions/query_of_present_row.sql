CREATE OR REPLACE FUNCTION sessiondb.query_of_present_row(p_table regclass, p_relation regclass, p_columns text[], p_key text[])
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For save_link(): the query, as text, of the row of table p_table, or of its partition p_relation, that has the key of row $1 now: its
 * columns p_columns, by which a saved link is found, and session_id. p_key are the columns of the key; NULL if there is none, or not each
 * column of it. p_columns are quoted.
 *
 * Each column is named without its row, in a sub-select: for one that is gone, t.id would be a call of a function id() of any
 * role. What is read of pg_attribute here may be older than that, if the transaction has an older snapshot.
 */
SELECT format('SELECT n.* FROM (SELECT %1$s, session_id FROM %2$s) AS n JOIN (SELECT %3$s FROM (SELECT ($1).*) AS x) AS e ON %4$s',
              array_to_string(p_columns, ', '), p_table, string_agg(quote_ident(a.attname), ', '),
              string_agg(format('n.%1$I %2$s e.%1$I%3$s', a.attname, e.operator, e.right_cast), ' AND '))
  FROM pg_attribute AS a
 CROSS JOIN LATERAL ({equal(a.atttypid)}) AS e
 WHERE a.attrelid = p_relation AND a.attname = ANY (p_key)
HAVING count(*) > 0 AND count(*) = cardinality(p_key)
$function$

-- Which of the tables with the names $1 (text[]) the calling role may not see completely, as a sentence; no row if it sees all.
SELECT format('Row level security may hide rows of %s from role %I.', string_agg(h.full_name, ', ' ORDER BY h.full_name), current_user) AS remark
  FROM (
{hidden_tables()}
       ) AS h
 WHERE NOT h.shows_all
   AND h.name = ANY ($1)
HAVING count(*) > 0

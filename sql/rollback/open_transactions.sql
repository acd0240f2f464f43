-- No prepared transaction stops the rollback half-way, which would wait for its locks. The setting sessiondb.undone holds the
-- numbers of the migrations to be undone; those from 0002 to 0008 lock the tables.
SELECT 'open_transactions' AS "check", p.*
  FROM (
{prepared_transactions()}
       ) AS p
 WHERE '0008' >= ANY (string_to_array(current_setting('sessiondb.undone'), ','))
 ORDER BY p.object

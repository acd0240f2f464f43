-- The status of a session that has ended, as a word of a command for a shell: of the values that the platform accepts, completed or
-- another one that says so, else the last; completed if any text is accepted.
SELECT ({shell_word(e.status)})
  FROM (SELECT coalesce((
            SELECT v.value
              FROM (SELECT a.value, row_number() OVER () AS place FROM (
{allowed_values('sessions', 'status')}
                   ) AS a) AS v
             ORDER BY v.value = 'completed' DESC,
                 v.value ~* '^(complet|clos|done|end|finish|over|archiv|termin|ferm|cl.tur|fini)' DESC, v.value = 'active', v.place DESC
             LIMIT 1), 'completed') AS status) AS e

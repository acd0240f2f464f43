-- The text $1 as one word of a command for a shell.
SELECT CASE WHEN $1 ~ '^[A-Za-z0-9@._+-][A-Za-z0-9@._+=,-]*$' THEN $1 ELSE '''' || replace($1, '''', E'''\\''''') || '''' END

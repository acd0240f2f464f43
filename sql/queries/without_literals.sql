-- SQL text $1 with NULL in the place of each string literal: it has the same types, and no input function of a type is run while it is
-- parsed. NULL if it has backslashes or dollar quotes, with which a literal may end elsewhere.
SELECT string_agg(CASE WHEN starts_with(m.token[1], '''') THEN 'NULL' ELSE m.token[1] END, '' ORDER BY m.place)
  FROM regexp_matches($1, $$'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"]+$$, 'g') WITH ORDINALITY AS m (token, place)
 WHERE $1 !~ E'\\\\|[$]\\w*[$]'

-- The names of roles in $1 (a text), quoted where needed and separated by ", ", as an array; NULL if that is NULL. A name may have that in it.
regexp_split_to_array($1, E', (?=(?:[^"]*"[^"]*")*[^"]*$)')

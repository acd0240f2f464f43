-- Whether the name $2 of a thing of kind $1 is looked for in column $3: what looks like an e-mail only among e-mails. Users choose
-- their display names and often their logins, and so could take another's place.
SELECT $3 IN ('email', 'email_address', 'mail') OR $1 <> 'user' OR strpos($2, '@') = 0

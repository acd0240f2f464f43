-- Whether the condition of trigger $1 (an oid) calls a function of PostgreSQL that runs a text as SQL or changes a setting: it needs no
-- function of the role that created the trigger. pg_depend does not know which functions of PostgreSQL are called.
SELECT x.tgqual IS NOT NULL
       AND pg_get_triggerdef(x.oid) ~ '\m(query|cursor|table|schema|database)_to_xml|\mts_(rewrite|stat)\M|\mset_config\M|\mpg_(read|ls|stat_file|reload|terminate|cancel|notify)|\mlo_'
  FROM pg_trigger AS x
 WHERE x.oid = $1

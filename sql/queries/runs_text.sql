-- Whether the expression $1 (a text) calls a function of PostgreSQL that runs a text as SQL or changes a setting: it needs no function of
-- the role that wrote it. pg_depend does not know which functions of PostgreSQL are called.
SELECT $1 ~ E'\\m(query|cursor|table|schema|database)_to_xml|\\mts_(rewrite|stat)\\M|\\mset_config\\M|'
            '\\mpg_(read|ls|stat_file|reload|terminate|cancel|notify)|\\mlo_|\\m(domain|record|array|range|multirange|enum)_(in|recv)\\M|'
            '\\mpg_input_|_validator\\M'
       -- PostgreSQL does not record on which type it depends
       OR $1 ~ E'\\mRETURNING\\M'

-- The owner of object $2 of catalog $1, as far as objects of that kind have one. pg_shdepend does not know those of predefined roles.
SELECT c.relowner AS owner FROM pg_class AS c WHERE $1 = 'pg_class'::regclass AND c.oid = $2
UNION ALL
SELECT p.proowner FROM pg_proc AS p WHERE $1 = 'pg_proc'::regclass AND p.oid = $2
UNION ALL
SELECT t.typowner FROM pg_type AS t WHERE $1 = 'pg_type'::regclass AND t.oid = $2
UNION ALL
SELECT o.oprowner FROM pg_operator AS o WHERE $1 = 'pg_operator'::regclass AND o.oid = $2
UNION ALL
SELECT o.opcowner FROM pg_opclass AS o WHERE $1 = 'pg_opclass'::regclass AND o.oid = $2
UNION ALL
SELECT o.opfowner FROM pg_opfamily AS o WHERE $1 = 'pg_opfamily'::regclass AND o.oid = $2
UNION ALL
SELECT c.collowner FROM pg_collation AS c WHERE $1 = 'pg_collation'::regclass AND c.oid = $2
UNION ALL
SELECT c.conowner FROM pg_conversion AS c WHERE $1 = 'pg_conversion'::regclass AND c.oid = $2
UNION ALL
SELECT c.cfgowner FROM pg_ts_config AS c WHERE $1 = 'pg_ts_config'::regclass AND c.oid = $2
UNION ALL
SELECT d.dictowner FROM pg_ts_dict AS d WHERE $1 = 'pg_ts_dict'::regclass AND d.oid = $2
UNION ALL
SELECT s.stxowner FROM pg_statistic_ext AS s WHERE $1 = 'pg_statistic_ext'::regclass AND s.oid = $2
UNION ALL
SELECT e.extowner FROM pg_extension AS e WHERE $1 = 'pg_extension'::regclass AND e.oid = $2

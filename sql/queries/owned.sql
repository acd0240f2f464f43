-- The objects that a schema can hold and that have an owner, as pg_depend names them. pg_shdepend does not know what belongs to a
-- predefined role, and what pg_depend says of a schema is not only what is in it.
SELECT 'pg_class'::regclass AS classid, c.oid AS objid, c.relnamespace AS namespace, c.relowner AS owner FROM pg_class AS c
UNION ALL
SELECT 'pg_proc'::regclass, p.oid, p.pronamespace, p.proowner FROM pg_proc AS p
UNION ALL
SELECT 'pg_type'::regclass, t.oid, t.typnamespace, t.typowner FROM pg_type AS t
UNION ALL
SELECT 'pg_operator'::regclass, o.oid, o.oprnamespace, o.oprowner FROM pg_operator AS o
UNION ALL
SELECT 'pg_opclass'::regclass, o.oid, o.opcnamespace, o.opcowner FROM pg_opclass AS o
UNION ALL
SELECT 'pg_opfamily'::regclass, o.oid, o.opfnamespace, o.opfowner FROM pg_opfamily AS o
UNION ALL
SELECT 'pg_collation'::regclass, c.oid, c.collnamespace, c.collowner FROM pg_collation AS c
UNION ALL
SELECT 'pg_conversion'::regclass, c.oid, c.connamespace, c.conowner FROM pg_conversion AS c
UNION ALL
SELECT 'pg_ts_config'::regclass, c.oid, c.cfgnamespace, c.cfgowner FROM pg_ts_config AS c
UNION ALL
SELECT 'pg_ts_dict'::regclass, d.oid, d.dictnamespace, d.dictowner FROM pg_ts_dict AS d
UNION ALL
SELECT 'pg_statistic_ext'::regclass, s.oid, s.stxnamespace, s.stxowner FROM pg_statistic_ext AS s
UNION ALL
SELECT 'pg_extension'::regclass, e.oid, e.extnamespace, e.extowner FROM pg_extension AS e

-- The operator "=" of the type $1 as SQL writes it between two operands, the one that an index or a key has: that of the
-- type's btree operators; for a domain, varchar or enum that of what it is made of.
SELECT coalesce(e.operator, 'OPERATOR(pg_catalog.=)') AS operator, e.right_cast
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN LATERAL (
        SELECT o.operator, o.right_cast
          FROM pg_type AS t
          JOIN pg_type AS base ON base.oid = CASE WHEN t.typtype = 'd' THEN ({base_type(t.oid)})::regtype ELSE t.oid END
          JOIN pg_opclass AS c ON c.opcdefault
           AND c.opcmethod = (SELECT am.oid FROM pg_am AS am WHERE am.amname = 'btree')
           AND c.opcintype IN (base.oid, CASE WHEN base.typtype = 'e' THEN 'anyenum'::regtype WHEN base.oid = 'varchar'::regtype THEN 'text' END)
          JOIN pg_amop AS m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
           AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
         CROSS JOIN LATERAL ({operator(m.amopopr)}) AS o
         WHERE t.oid = $1
         ORDER BY (c.opcintype = base.oid) DESC
         LIMIT 1
       ) AS e ON true

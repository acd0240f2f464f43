-- The columns in which a name of a thing of a kind is looked for, of those that this role may read.
SELECT c.name
  FROM (SELECT %(kind)s::text AS kind, %(name)s::text AS name) AS a
 CROSS JOIN LATERAL sessiondb.names_in(a.kind) AS n
 CROSS JOIN LATERAL unnest(n.columns) AS c (name)
 WHERE ({looked_for(a.kind, a.name, c.name)})

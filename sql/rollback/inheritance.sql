-- No partition stops a rollback half-way, which finds the links of those that are attached.
SELECT d."check", d.level, d.object, d.detail, d.fix
  FROM (
{detaching()}
       ) AS d
 ORDER BY d.object

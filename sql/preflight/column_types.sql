-- Only trusted roles own the types of the columns that are read, the types of which those consist, and their schemas.
SELECT f.* FROM (
{types_read()}
       ) AS f
 ORDER BY f.object, f.detail

-- The ways to the course over the fewest tables; where there are several, apply asks for --course-path.
SELECT p.*
  FROM ({course_paths()}) AS p
 ORDER BY p.hops
 FETCH FIRST ROW WITH TIES

-- Why rows of {table} have no session, by user and course; "linked" is one that a backfill would link.
SELECT c.user_id, c.course_id, coalesce(c.reason, 'linked') AS reason
  FROM sessiondb.choose_sessions(%(users)s, %(courses)s, {by_enrollment}) AS c

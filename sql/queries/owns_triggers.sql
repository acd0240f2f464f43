-- Whether the current role owns the trigger functions, which run with its rights.
SELECT EXISTS (SELECT FROM pg_proc AS f WHERE f.oid = to_regprocedure('sessiondb.link_submission()') AND pg_get_userbyid(f.proowner) = current_user)

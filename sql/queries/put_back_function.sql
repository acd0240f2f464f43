-- The statements, as one text, that put the function that step set_aside_function set aside back into schema $1. It has its other name in
-- schema sessiondb only: in that of the platform another role may have a function with that name.
SELECT format('DROP FUNCTION %1$I.get_user_session_for_course(pg_catalog.uuid, pg_catalog.uuid); '
              'ALTER ROUTINE sessiondb.replaced_get_user_session_for_course(pg_catalog.uuid, pg_catalog.uuid) RENAME TO get_user_session_for_course; '
              'ALTER ROUTINE sessiondb.get_user_session_for_course(pg_catalog.uuid, pg_catalog.uuid) SET SCHEMA %1$I', $1)

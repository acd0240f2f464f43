-- The id of the current user, by the expression of `apply --staff`; NULL without that. The body is not a text but what its
-- names mean when it is created: a role that later creates a function or operator that fits better is not asked.
CREATE OR REPLACE FUNCTION sessiondb.current_user_id()
RETURNS pg_catalog.uuid
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path FROM CURRENT
RETURN staff_user

-- The id of the current user, by the expression of `apply --staff`; NULL without that. It runs with the rights of the reader, as an
-- expression in a policy does, but under the path of apply: a reader's own temporary table is not taken for one that a function in the
-- expression reads. The body is not a text but what its names mean when it is created: a role that later creates a function or
-- operator that fits better is not asked.
CREATE OR REPLACE FUNCTION sessiondb.current_user_id()
RETURNS pg_catalog.uuid
LANGUAGE sql STABLE
SET search_path FROM CURRENT
RETURN staff_user

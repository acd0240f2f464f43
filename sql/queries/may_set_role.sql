-- Whether the current role may give what it owns to role $1 (an oid), as ALTER ... OWNER TO needs SET ROLE. Since PostgreSQL 16 a member may
-- inherit the privileges of a role without that.
pg_has_role($1, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)

-- Whether row level security hides nothing of what the rules look at from this role. Where it does, the rules would choose
-- among a part of the sessions.
SELECT NOT EXISTS (
        SELECT FROM sessiondb.hidden_tables() AS h WHERE h.name IN ('sessions', 'org_members', 'enrollments', 'submissions')) AS sees_all

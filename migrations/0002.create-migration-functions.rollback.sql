-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-function

DROP FUNCTION IF EXISTS sessiondb.course_paths();
DROP PROCEDURE IF EXISTS sessiondb.choose_course_path();
DROP PROCEDURE IF EXISTS sessiondb.compile(text);
DROP PROCEDURE IF EXISTS sessiondb.guard_links(name);
DROP FUNCTION IF EXISTS sessiondb.has_own_session_id(name);
DROP FUNCTION IF EXISTS sessiondb.ignore_early_link();
DROP FUNCTION IF EXISTS sessiondb.in_the_way(integer[]);
DROP PROCEDURE IF EXISTS sessiondb.lock_tables(text, regclass[]);
DROP FUNCTION IF EXISTS sessiondb.foreign_key_statements(name);
DROP FUNCTION IF EXISTS sessiondb.index_statements(name, name, text[], text);
DROP FUNCTION IF EXISTS sessiondb.required_indexes();
DROP FUNCTION IF EXISTS sessiondb.drop_index_statements(name, name);
DROP FUNCTION IF EXISTS sessiondb.triggers_writing(text);
DROP PROCEDURE IF EXISTS sessiondb.adopt_triggers(name);
DROP PROCEDURE IF EXISTS sessiondb.restore_triggers(name);
DROP FUNCTION IF EXISTS sessiondb.save_link();
DROP PROCEDURE IF EXISTS sessiondb.prepare_saved_links(name);
DROP FUNCTION IF EXISTS sessiondb.save_links_statements(name);
DROP PROCEDURE IF EXISTS sessiondb.restore_links(name, bigint, bigint);
DROP FUNCTION IF EXISTS sessiondb.restore_links_statements(name);

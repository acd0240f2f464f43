-- A trigger of the platform that was taken over is put back.
--
-- If the process dies: nothing was committed; run rollback again.

-- step: restore_triggers submissions

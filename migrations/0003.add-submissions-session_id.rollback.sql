-- The links were saved by the rollback of 0006.restore-links. A column that was there before us stays.
--
-- If the process dies: nothing was committed; run rollback again.

-- step: drop_column submissions

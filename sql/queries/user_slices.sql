-- The sixteen parts of a distributed table by the first digit of user_id, of row $1: what is copied or restored at once.
SELECT g.digit AS place, format('%1$s.user_id OPERATOR(pg_catalog.>=) %2$L AND %1$s.user_id OPERATOR(pg_catalog.<=) %3$L', $1,
           rpad(to_hex(g.digit), 8, '0') || '-0000-0000-0000-000000000000', rpad(to_hex(g.digit), 8, 'f')
               || '-ffff-ffff-ffff-ffffffffffff') AS condition
  FROM generate_series(0, 15) AS g (digit)

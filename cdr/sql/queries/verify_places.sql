-- Where a partition's offsets do not follow each other one by one: the same offset again is a double, a jump is a gap.
SELECT previous, log_offset
FROM
(
    SELECT log_offset, lagInFrame(log_offset, 1, toUInt64({after:UInt64})) OVER (ORDER BY log_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT log_offset FROM call_events WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}
        UNION ALL
        SELECT log_offset FROM dead_letters WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}
    )
)
WHERE log_offset != previous + 1
ORDER BY log_offset
LIMIT {limit:UInt32}

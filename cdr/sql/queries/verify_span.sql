-- How many records of a partition are there after an offset up to the confirmed position, and the last of them.
SELECT count(), max(log_offset), countIf(dead)
FROM
(
    SELECT log_offset, false AS dead FROM call_events
    WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}
    UNION ALL
    SELECT log_offset, true AS dead FROM dead_letters
    WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}
)

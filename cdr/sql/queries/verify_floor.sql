-- The last offset of a partition of which a retention may have taken something: nothing up to there is asked for.
-- Rows are deleted part by part and not in order, so what lies between the last old event and the first young one after
-- it counts as old. Without a young one everything does.
WITH
(
    SELECT max(log_offset) FROM call_events
    WHERE log_partition = {partition:UInt32} AND log_offset <= {upto:UInt64} AND occurred_at < now64(6) - INTERVAL {hours:UInt32} HOUR
) AS old
SELECT if(count() = 0, {upto:UInt64}, toUInt64(min(log_offset) - 1)) FROM call_events
WHERE log_partition = {partition:UInt32} AND log_offset > old AND log_offset <= {upto:UInt64}

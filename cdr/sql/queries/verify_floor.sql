-- The last offset of a partition that the retention may have taken: nothing up to there is asked for.
SELECT greatest(
    (SELECT maxIf(log_offset, occurred_at < now64(6) - INTERVAL {days:UInt32} DAY + INTERVAL 1 DAY) FROM call_events
        WHERE log_partition = {partition:UInt32} AND log_offset <= {upto:UInt64}),
    (SELECT if(count() = 0, 0, toUInt64(min(log_offset) - 1)) FROM call_events
        WHERE log_partition = {partition:UInt32} AND log_offset <= {upto:UInt64}))

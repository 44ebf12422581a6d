-- What happened on one call, in order.
SELECT type, toUnixTimestamp64Micro(occurred_at) / 1e6, seq, data
FROM call_events
WHERE call_id = {call_id:String}
ORDER BY seq, log_offset
LIMIT {limit:UInt32}

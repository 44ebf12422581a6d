-- Which of these places of a partition have an event.
SELECT DISTINCT log_offset
FROM call_events
WHERE log_partition = {partition:UInt32} AND log_offset IN {offsets:Array(UInt64)}
ORDER BY log_offset
LIMIT 10000

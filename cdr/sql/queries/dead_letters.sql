-- Records that could not be read, in the order of the log; each place once.
SELECT log_partition, log_offset, reason, value
FROM dead_letters
WHERE ({partition:Int64} < 0 OR log_partition = {partition:Int64})
  AND log_offset BETWEEN {first:UInt64} AND {last:UInt64}
ORDER BY log_partition, log_offset
LIMIT 1 BY log_partition, log_offset
LIMIT {limit:UInt32}

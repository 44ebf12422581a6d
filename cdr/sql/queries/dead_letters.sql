-- Records that could not be read, in the order of the log; each place once. `discarded`: 1 = those that were, 0 = the others, -1 = all.
SELECT log_partition, log_offset, reason, value
FROM dead_letters
WHERE ({partition:Int64} < 0 OR log_partition = {partition:Int64})
  AND log_offset BETWEEN {first:UInt64} AND {last:UInt64}
  AND ({discarded:Int8} < 0 OR discarded = ({discarded:Int8} > 0))
ORDER BY log_partition, log_offset
LIMIT 1 BY log_partition, log_offset
LIMIT {limit:UInt32}

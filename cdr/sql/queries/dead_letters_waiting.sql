-- How many records that could not be read wait in each partition, all of them or the one at a place.
SELECT log_partition, uniqExact(log_offset)
FROM dead_letters
WHERE NOT discarded
  AND ({partition:Int64} < 0 OR log_partition = {partition:Int64})
  AND log_offset BETWEEN {first:UInt64} AND {last:UInt64}
GROUP BY log_partition
ORDER BY log_partition
LIMIT 100000

-- How many records of a partition are there after an offset up to the confirmed position; from the index alone.
SELECT
    (SELECT count() FROM call_events WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64})
    + (SELECT count() FROM dead_letters WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64})

-- Attempts begun, CDRs told, and calls as people see them.
SELECT
    (SELECT countIf(type = 'call.initiated') FROM call_events WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}),
    (SELECT countIf(type = 'cdr.finalized') FROM call_events WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}),
    (SELECT count() FROM calls FINAL WHERE log_partition = {partition:UInt32})

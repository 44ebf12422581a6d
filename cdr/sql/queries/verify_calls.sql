-- Calls whose events do not add up: each that ended has exactly one CDR, each with a CDR was begun exactly once.
-- What began before `after` is not known to have begun. begun, ended, finals count events; `rows` counts what people see of the call.
SELECT call_id, begun, ended, finals, row_count
FROM
(
    SELECT call_id, countIf(type = 'call.initiated') AS begun, countIf(type = 'call.ended') AS ended,
        countIf(type = 'cdr.finalized') AS finals
    FROM call_events
    WHERE log_partition = {partition:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {upto:UInt64}
        AND type IN ('call.initiated', 'call.ended', 'cdr.finalized')
    GROUP BY call_id
) AS told
LEFT JOIN
(
    SELECT call_id, count() AS row_count FROM calls FINAL WHERE log_partition = {partition:UInt32} GROUP BY call_id
) AS seen USING (call_id)
WHERE begun > 1 OR finals > 1 OR finals != ended OR (finals = 1 AND ((begun = 0 AND {after:UInt64} = 0) OR row_count != 1))
ORDER BY call_id
LIMIT {limit:UInt32}

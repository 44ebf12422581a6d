-- Calls that ended after an offset and whose CDR is not there exactly once, as event or as row.
-- What one call's end writes lies together in the log: a margin before the offset holds what belongs to it. No call
-- lasts a day, so its row began at most a day before its end.
SELECT call_id, ended, finals, row_count
FROM
(
    SELECT call_id, countIf(type = 'call.ended') AS ended, countIf(type = 'cdr.finalized') AS finals
    FROM call_events
    WHERE log_partition = {partition:UInt32} AND log_offset > {margin:UInt64} AND log_offset <= {upto:UInt64}
        AND type IN ('call.ended', 'cdr.finalized')
    GROUP BY call_id
    HAVING max(log_offset) > {after:UInt64}
) AS told
LEFT JOIN
(
    SELECT call_id, count() AS row_count
    FROM calls FINAL
    WHERE log_partition = {partition:UInt32} AND started_at >=
    (
        SELECT min(occurred_at) - INTERVAL 1 DAY
        FROM call_events
        WHERE log_partition = {partition:UInt32} AND log_offset > {margin:UInt64} AND log_offset <= {upto:UInt64}
    )
    GROUP BY call_id
) AS seen USING (call_id)
WHERE finals != ended OR finals > 1 OR (finals = 1 AND row_count != 1)
ORDER BY call_id
LIMIT {limit:UInt32}

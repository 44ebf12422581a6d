-- Sums over the calls that match, by group: of sums any ratio can be made, for any group of groups.
SELECT
    $group,
    count(),
    countIf(isNotNull(answered_at)),
    countIf(isNotNull(bridged_at)),
    countIf(status = 'busy-line'),
    [$counters],
    sum(duration_ms),
    sum(billsec_ms),
    sum(waitsec_ms),
    sum(ring_ms),
    sum(wait_ms),
    sum(if(isNull(bridged_at), 0, dateDiff('millisecond', assumeNotNull(bridged_at), ended_at))),
    sum(wrap_ms)
FROM calls FINAL
WHERE $where
GROUP BY $group
ORDER BY $group
LIMIT {limit:UInt32}

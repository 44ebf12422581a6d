-- A page of the calls that match, newest first; the next page goes on from the last row's (started_at, call_id).
SELECT $call_row
FROM calls FINAL
WHERE $where
  AND started_at <= fromUnixTimestamp64Micro({before_us:Int64}, 'UTC')
  AND (started_at, call_id) < (fromUnixTimestamp64Micro({before_us:Int64}, 'UTC'), {before_id:String})
ORDER BY started_at DESC, call_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt64}

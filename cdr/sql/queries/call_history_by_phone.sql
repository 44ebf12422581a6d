-- Every call of one number over all campaigns and leads, newest first (S0-21).
SELECT $call_row
FROM calls FINAL
WHERE phone_e164 = {phone:String}
ORDER BY started_at DESC, call_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt64}

-- A page of the calls that match, newest first; the next page goes on from the last row's (started_at, call_id).
SELECT $call_row
FROM calls FINAL
WHERE started_at >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')
  AND started_at < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
  AND ({campaign:String} = '' OR campaign_name = {campaign:String})
  AND ({campaign_id:UInt64} = 0 OR campaign_id = {campaign_id:UInt64})
  AND ({phone:String} = '' OR phone_e164 = {phone:String})
  AND (empty({status:Array(String)}) OR has({status:Array(String)}, status))
  AND ({hotline:String} = '' OR hotline = {hotline:String})
  AND ({direction:String} = '' OR direction = {direction:String})
  AND ({agent:String} = '' OR agent_id = {agent:String})
  AND started_at <= fromUnixTimestamp64Micro({before_us:Int64}, 'UTC')
  AND (started_at, call_id) < (fromUnixTimestamp64Micro({before_us:Int64}, 'UTC'), {before_id:String})
ORDER BY started_at DESC, call_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}

-- How many calls match.
SELECT count()
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

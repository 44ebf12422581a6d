-- The filter of search, count, export and reports; what is not asked for is empty, 0 or without bound.
started_at >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')
  AND started_at < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
  AND ended_at >= fromUnixTimestamp64Micro({ended_from_us:Int64}, 'UTC')
  AND ended_at < fromUnixTimestamp64Micro({ended_to_us:Int64}, 'UTC')
  AND ({call_id:String} = '' OR call_id = {call_id:String} OR sip_call_id = {call_id:String})
  AND ({campaign:String} = '' OR campaign_name = {campaign:String})
  AND ({campaign_id:UInt64} = 0 OR campaign_id = {campaign_id:UInt64})
  AND ({list_id:UInt64} = 0 OR list_id = {list_id:UInt64})
  AND ({lead_id:UInt64} = 0 OR lead_id = {lead_id:UInt64})
  AND ({customer_id:UInt64} = 0 OR customer_id = {customer_id:UInt64})
  AND ({phone:String} = '' OR phone_e164 = {phone:String})
  AND ({hotline:String} = '' OR hotline = {hotline:String})
  AND ({trunk:String} = '' OR trunk = {trunk:String})
  AND ({carrier:String} = '' OR carrier = {carrier:String})
  AND ({app:String} = '' OR app = {app:String})
  AND ({direction:String} = '' OR direction = {direction:String}
    OR ({direction:String} = 'missed' AND direction = 'inbound' AND status != 'answered'))
  AND ({agent:String} = '' OR agent_id = {agent:String})
  AND ({extension:String} = '' OR extension = {extension:String})
  AND ({disposition:String} = '' OR disposition = {disposition:String})
  AND (empty({status:Array(String)}) OR has({status:Array(String)}, status))
  AND ({ended_by:String} = '' OR ended_by = {ended_by:String})
  AND (empty({sip_status:Array(UInt16)}) OR has({sip_status:Array(UInt16)}, ifNull(sip_status, 0)))
  AND (empty({q850:Array(UInt16)}) OR has({q850:Array(UInt16)}, ifNull(q850, 0)))
  AND ({reason:String} = ''
    OR has([sub_reason, cancel_reason, local_error, announcement, lower(dialstatus), lower(fs_cause)], lowerUTF8({reason:String}))
    OR positionCaseInsensitiveUTF8(reason_text, {reason:String}) > 0)
  AND ({recorded:String} = '' OR (recording_url != '') = ({recorded:String} = 'yes'))
  AND duration_ms BETWEEN {min_duration_ms:UInt64} AND {max_duration_ms:UInt64}
  AND billsec_ms BETWEEN {min_talk_ms:UInt64} AND {max_talk_ms:UInt64}
  AND wait_ms >= {min_wait_ms:UInt64}

-- One call by our id or by the SIP Call-ID (S0-23).
SELECT $call_row
FROM calls FINAL
WHERE call_id = {call_id:String}
LIMIT 1

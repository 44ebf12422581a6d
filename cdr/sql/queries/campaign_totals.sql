-- Calls of a campaign by status.
SELECT status, count()
FROM calls FINAL
WHERE campaign_id = {campaign_id:UInt64}
GROUP BY status
ORDER BY status
LIMIT 100

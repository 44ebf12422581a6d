-- Leads of a campaign by state and last call status, removed ones left out.
SELECT state, last_status, count()
FROM lead_status FINAL
WHERE campaign_id = {campaign_id:UInt64} AND NOT removed
GROUP BY state, last_status
ORDER BY state, last_status
LIMIT 1000

-- What analysts read: names and columns are a promise (docs/analytics-views.md). Each shows the latest version of a row,
-- merged or not. Spans are seconds, moments are UTC.
CREATE VIEW IF NOT EXISTS v_calls AS
SELECT
    call_id, version, campaign_id, campaign_name, campaign_kind, list_id, lead_id, customer_id, phone_e164, hotline,
    trunk, carrier, app, direction, attempt_no, started_at, ringing_at, early_media_at, answered_at, bridged_at, ended_at,
    duration_ms / 1000 AS duration_s,
    billsec_ms / 1000 AS billsec_s,
    waitsec_ms / 1000 AS waitsec_s,
    ring_ms / 1000 AS ring_s,
    wait_ms / 1000 AS wait_s,
    if(isNull(bridged_at), 0, dateDiff('millisecond', assumeNotNull(bridged_at), ended_at)) / 1000 AS talk_s,
    wrap_ms / 1000 AS wrap_s,
    agent_id, extension, sip_call_id, status, status_code, rule_id, attribution, counts,
    CAST(isNotNull(answered_at), 'Bool') AS is_answered,
    CAST(isNotNull(bridged_at), 'Bool') AS is_connected,
    CAST(status = 'busy-line', 'Bool') AS is_abandoned,
    sub_reason, cancel_reason, ended_by, sip_status, q850, reason_text, dialstatus, fs_cause, local_error, amd_result,
    announcement, retry_reason, next_at, disposition, note, lead_trigger, callback_at, recording_url
FROM calls FINAL;
CREATE VIEW IF NOT EXISTS v_call_events AS
SELECT
    call_id, seq, type, occurred_at, campaign_id, lead_id, phone_e164, hotline, data, event_id, schema_version, source,
    log_partition, log_offset
FROM call_events;
CREATE VIEW IF NOT EXISTS v_lead_status AS
SELECT
    campaign_id, lead_id, version, list_id, customer_id, phone_e164, state, last_status, state_from, rule, trigger, attempts,
    dialed, error_kind, next_at, callback_at, agent_id, changed_at
FROM lead_status FINAL
WHERE NOT removed;
CREATE VIEW IF NOT EXISTS v_lead_funnel AS
SELECT campaign_id, list_id, state, last_status, count() AS leads, sum(attempts) AS attempts, sum(dialed) AS dialed
FROM (SELECT campaign_id, list_id, state, last_status, attempts, dialed FROM lead_status FINAL WHERE NOT removed)
GROUP BY campaign_id, list_id, state, last_status;
CREATE VIEW IF NOT EXISTS v_campaign_hours AS
SELECT
    campaign_id,
    toStartOfHour(started_at) AS hour,
    argMax(campaign_name, ended_at) AS campaign_name,
    count() AS calls,
    countIf(isNotNull(answered_at)) AS answered,
    countIf(isNotNull(bridged_at)) AS connected,
    countIf(status = 'busy-line') AS abandoned,
    countIf(status = 'answered') AS status_answered,
    countIf(status = 'no-answered') AS status_no_answered,
    countIf(status = 'busy') AS status_busy,
    countIf(status = 'busy-line') AS status_busy_line,
    countIf(status = 'ivr') AS status_ivr,
    countIf(status = 'failed') AS status_failed,
    countIf(status = 'congestion') AS status_congestion,
    countIf(status = 'cancel') AS status_cancel,
    countIf(status = 'invalid-number') AS status_invalid,
    countIf(status = 'phone-block') AS status_phone_block,
    countIf(status = 'not-available') AS status_not_available,
    countIf(status = 'voicemail') AS status_voicemail,
    sum(duration_ms) / 1000 AS duration_s,
    sum(billsec_ms) / 1000 AS billsec_s,
    sum(waitsec_ms) / 1000 AS waitsec_s,
    sum(if(isNull(bridged_at), 0, dateDiff('millisecond', assumeNotNull(bridged_at), ended_at))) / 1000 AS talk_s,
    sum(wrap_ms) / 1000 AS wrap_s,
    sum(wait_ms) / 1000 AS wait_s
FROM calls FINAL
GROUP BY campaign_id, hour;
CREATE VIEW IF NOT EXISTS v_agent_hours AS
SELECT
    agent_id,
    campaign_id,
    toStartOfHour(started_at) AS hour,
    count() AS talks,
    sum(dateDiff('millisecond', assumeNotNull(bridged_at), ended_at)) / 1000 AS talk_s,
    sum(wrap_ms) / 1000 AS wrap_s,
    sum(wait_ms) / 1000 AS wait_s,
    countIf(ended_by = 'agent') AS ended_by_agent
FROM calls FINAL
WHERE isNotNull(bridged_at)
GROUP BY agent_id, campaign_id, hour;
CREATE VIEW IF NOT EXISTS v_line_hours AS
SELECT
    trunk,
    hotline,
    carrier,
    toStartOfHour(started_at) AS hour,
    count() AS calls,
    countIf(isNotNull(answered_at)) AS answered,
    countIf(attribution = 'carrier') AS failed_by_carrier,
    countIf(status = 'congestion') AS congested,
    sum(billsec_ms) / 1000 AS billsec_s,
    sum(ring_ms) / 1000 AS ring_s
FROM calls FINAL
GROUP BY trunk, hotline, carrier, hour;

CREATE TABLE IF NOT EXISTS lead_status_local ON CLUSTER 'dialer'
(
    campaign_id UInt64,
    lead_id UInt64,
    version UInt64,
    tenant_id LowCardinality(String),
    list_id UInt64,
    customer_id UInt64,
    phone_e164 String CODEC(ZSTD(1)),
    state LowCardinality(String),
    removed Bool,
    state_from LowCardinality(String),
    rule LowCardinality(String),
    trigger LowCardinality(String),
    attempts UInt32,
    dialed UInt32,
    last_status LowCardinality(String),
    error_kind LowCardinality(String),
    next_at Nullable(DateTime64(6, 'UTC')),
    callback_at Nullable(DateTime64(6, 'UTC')),
    agent_id LowCardinality(String),
    changed_at DateTime64(6, 'UTC'),
    log_partition UInt32,
    log_offset UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/lead_status', '{replica}', version)
ORDER BY (campaign_id, lead_id)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS lead_status ON CLUSTER 'dialer' AS lead_status_local
ENGINE = Distributed('dialer', currentDatabase(), lead_status_local, cityHash64(campaign_id, lead_id));

CREATE TABLE IF NOT EXISTS call_events_local ON CLUSTER 'dialer'
(
    log_partition UInt32,
    log_offset UInt64 CODEC(Delta, ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    schema_version LowCardinality(String),
    tenant_id LowCardinality(String),
    type LowCardinality(String),
    call_id String CODEC(ZSTD(1)),
    campaign_id UInt64,
    lead_id UInt64,
    phone_e164 String CODEC(ZSTD(1)),
    hotline LowCardinality(String),
    occurred_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    seq UInt32,
    data String CODEC(ZSTD(1)),
    INDEX call_id_filter call_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/call_events', '{replica}')
ORDER BY (log_partition, log_offset)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS call_events ON CLUSTER 'dialer' AS call_events_local
ENGINE = Distributed('dialer', currentDatabase(), call_events_local, cityHash64(log_partition, log_offset));

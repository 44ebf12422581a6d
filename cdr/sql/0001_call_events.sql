-- Every record of the log, as it came: the source for `dialer cdr verify` and for a call's timeline.
-- The sorting key is the place in the log. No partitions: a batch must stay one block for its deduplication token.
CREATE TABLE IF NOT EXISTS call_events
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
ENGINE = MergeTree
ORDER BY (log_partition, log_offset)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

CREATE TABLE IF NOT EXISTS dead_letters_local ON CLUSTER 'dialer'
(
    log_partition UInt32,
    log_offset UInt64,
    reason String CODEC(ZSTD(1)),
    value String CODEC(ZSTD(3))
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/dead_letters', '{replica}')
ORDER BY (log_partition, log_offset)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS dead_letters ON CLUSTER 'dialer' AS dead_letters_local
ENGINE = Distributed('dialer', currentDatabase(), dead_letters_local, cityHash64(log_partition, log_offset));

-- Records that can never be projected, with the reason; bounded by the projector, which stops past the bound.
CREATE TABLE IF NOT EXISTS dead_letters
(
    log_partition UInt32,
    log_offset UInt64,
    reason String CODEC(ZSTD(1)),
    value String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY (log_partition, log_offset)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 10000, fsync_after_insert = 1;

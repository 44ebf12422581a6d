-- The calls of a Parquet file, newest first; the columns are those of the other exports, times in UTC.
SELECT $columns
FROM calls FINAL
WHERE $where
ORDER BY started_at DESC, call_id DESC
LIMIT {rows:UInt64}

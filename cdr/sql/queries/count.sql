-- How many calls match.
SELECT count()
FROM calls FINAL
WHERE $where

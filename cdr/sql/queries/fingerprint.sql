-- How many rows a table has as people see it, and the sum of their hashes: the order of rows and parts does not matter.
SELECT count(), toString(sum(sipHash64(tuple(*))))
FROM $table

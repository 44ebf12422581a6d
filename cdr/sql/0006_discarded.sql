-- Letters that a person gave up: they keep their place in the log, and wait for nothing any more.
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS discarded Bool DEFAULT false;

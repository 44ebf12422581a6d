ALTER TABLE dead_letters_local ON CLUSTER 'dialer' ADD COLUMN IF NOT EXISTS discarded Bool DEFAULT false;

ALTER TABLE dead_letters ON CLUSTER 'dialer' ADD COLUMN IF NOT EXISTS discarded Bool DEFAULT false;

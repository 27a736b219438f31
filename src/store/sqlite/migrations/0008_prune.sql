-- Ads of which something was pruned: facts before the floor are refused. Milliseconds since 1970.
CREATE TABLE pruned_ad (
  ad INTEGER PRIMARY KEY,
  floor_at INTEGER NOT NULL,
  refused_facts INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The messages that were pruned, each as 64 bits of a hash of its subscriber and tracking id.
CREATE TABLE pruned_message (
  ad INTEGER NOT NULL,
  message_hash INTEGER NOT NULL,
  PRIMARY KEY (ad, message_hash)
) STRICT, WITHOUT ROWID;

-- What pruned threads contribute: the rollups of an ad are the sum of its threads and of these, which are compressed JSON.
CREATE TABLE baseline (
  part INTEGER PRIMARY KEY,
  ad INTEGER NOT NULL,
  packed BLOB NOT NULL
) STRICT;

CREATE INDEX baseline_of_ad ON baseline (ad);

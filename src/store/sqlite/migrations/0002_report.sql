-- Asynchronous reports: what was asked of which node, and how far it came. Times are milliseconds since 1970, days are
-- days since 1970. `parameters` holds no access token.
CREATE TABLE report_run (
  run INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  account INTEGER NOT NULL REFERENCES account,
  node_id TEXT NOT NULL,
  parameters TEXT NOT NULL,
  since INTEGER,
  until INTEGER,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  async_status TEXT NOT NULL,
  async_percent_completion INTEGER NOT NULL,
  begun INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  summary TEXT,
  failure TEXT
) STRICT;

-- The rows of a report as the wire has them, numbered from 0 in their order.
CREATE TABLE report_row (
  run INTEGER NOT NULL,
  place INTEGER NOT NULL,
  row TEXT NOT NULL,
  PRIMARY KEY (run, place)
) STRICT, WITHOUT ROWID;

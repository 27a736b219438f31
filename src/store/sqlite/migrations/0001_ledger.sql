-- Settings of the database itself: the key's fingerprint, the versions that its threads were resolved under, and
-- the registry's version, which every change of accounts, pages, ads, rates or countries raises.
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO setting (name, value) VALUES ('registry_version', '0');

CREATE TABLE account (
  account INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  currency TEXT NOT NULL,
  time_zone TEXT NOT NULL
) STRICT;

CREATE TABLE page_link (
  page_id TEXT NOT NULL,
  account INTEGER NOT NULL REFERENCES account,
  PRIMARY KEY (page_id, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign (
  campaign_id TEXT PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account,
  name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE adset (
  adset_id TEXT PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account,
  campaign_id TEXT NOT NULL REFERENCES campaign,
  name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The number stands for the ad, and with it for its account, in every row of the ledger: two bytes instead of two ids.
CREATE TABLE ad (
  ad INTEGER PRIMARY KEY,
  ad_id TEXT NOT NULL UNIQUE,
  account INTEGER NOT NULL REFERENCES account,
  adset_id TEXT NOT NULL REFERENCES adset,
  campaign_id TEXT NOT NULL REFERENCES campaign,
  name TEXT NOT NULL
) STRICT;

-- The pages whose webhooks told of an ad.
CREATE TABLE ad_page (
  page_id TEXT NOT NULL,
  ad INTEGER NOT NULL REFERENCES ad,
  PRIMARY KEY (page_id, ad)
) STRICT, WITHOUT ROWID;

CREATE INDEX ad_of_account ON ad (account);
CREATE INDEX ad_of_adset ON ad (adset_id);
CREATE INDEX ad_of_campaign ON ad (campaign_id);

CREATE TABLE rate (
  account INTEGER NOT NULL REFERENCES account,
  country TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  price_micros INTEGER NOT NULL,
  PRIMARY KEY (account, country, valid_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  token_hash TEXT PRIMARY KEY,
  permission TEXT NOT NULL CHECK (permission IN ('read', 'write', 'admin')),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token_account (
  token_hash TEXT NOT NULL REFERENCES token ON DELETE CASCADE,
  account INTEGER NOT NULL REFERENCES account,
  PRIMARY KEY (token_hash, account)
) STRICT, WITHOUT ROWID;

-- The operator's subscriber list.
CREATE TABLE subscriber (
  subscriber TEXT PRIMARY KEY,
  country TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Those who asked to be forgotten: their late facts are refused until then.
CREATE TABLE forgotten (
  subscriber TEXT PRIMARY KEY,
  until_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger: a thread is the rows of one (ad, subscriber) in these four tables. Facts first, then what they
-- resolve to. Times are milliseconds since 1970, days are days since 1970.
CREATE TABLE message (
  ad INTEGER NOT NULL,
  subscriber TEXT NOT NULL,
  tracking_id TEXT NOT NULL,
  sent_at INTEGER,
  delivered_at INTEGER,
  read_at INTEGER,
  mid TEXT,
  price_micros INTEGER,
  price_at INTEGER,
  country TEXT,
  region_class TEXT NOT NULL,
  sent_day INTEGER,
  delivered_day INTEGER,
  read_day INTEGER,
  resolved_price_micros INTEGER,
  PRIMARY KEY (ad, subscriber, tracking_id)
) STRICT, WITHOUT ROWID;

-- `mid` is '' for a click without one; `credited_tracking_id` is NULL while its thread has no message.
CREATE TABLE click (
  ad INTEGER NOT NULL,
  subscriber TEXT NOT NULL,
  at INTEGER NOT NULL,
  mid TEXT NOT NULL,
  country TEXT,
  region_class TEXT NOT NULL,
  day INTEGER NOT NULL,
  credited_tracking_id TEXT,
  PRIMARY KEY (ad, subscriber, at, mid)
) STRICT, WITHOUT ROWID;

CREATE TABLE failure (
  ad INTEGER NOT NULL,
  subscriber TEXT NOT NULL,
  at INTEGER NOT NULL,
  error_message TEXT NOT NULL,
  day INTEGER NOT NULL,
  PRIMARY KEY (ad, subscriber, at, error_message)
) STRICT, WITHOUT ROWID;

-- The country that a fact named, where one did.
CREATE TABLE recipient (
  ad INTEGER NOT NULL,
  subscriber TEXT NOT NULL,
  country TEXT NOT NULL,
  country_at INTEGER NOT NULL,
  PRIMARY KEY (ad, subscriber)
) STRICT, WITHOUT ROWID;

-- Counts per node and day, the region classes as columns. The account's own cells stand under ad 0.
CREATE TABLE rollup (
  account INTEGER NOT NULL,
  ad INTEGER NOT NULL,
  day INTEGER NOT NULL,
  sent_a INTEGER NOT NULL DEFAULT 0,
  sent_b INTEGER NOT NULL DEFAULT 0,
  sent_c INTEGER NOT NULL DEFAULT 0,
  delivered_a INTEGER NOT NULL DEFAULT 0,
  delivered_b INTEGER NOT NULL DEFAULT 0,
  delivered_c INTEGER NOT NULL DEFAULT 0,
  read_a INTEGER NOT NULL DEFAULT 0,
  read_b INTEGER NOT NULL DEFAULT 0,
  read_c INTEGER NOT NULL DEFAULT 0,
  link_btn_click_a INTEGER NOT NULL DEFAULT 0,
  link_btn_click_b INTEGER NOT NULL DEFAULT 0,
  link_btn_click_c INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_a INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_b INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_c INTEGER NOT NULL DEFAULT 0,
  spend_micros_a INTEGER NOT NULL DEFAULT 0,
  spend_micros_b INTEGER NOT NULL DEFAULT 0,
  spend_micros_c INTEGER NOT NULL DEFAULT 0,
  unpriced_a INTEGER NOT NULL DEFAULT 0,
  unpriced_b INTEGER NOT NULL DEFAULT 0,
  unpriced_c INTEGER NOT NULL DEFAULT 0,
  sent_by_delivery_a INTEGER NOT NULL DEFAULT 0,
  sent_by_delivery_b INTEGER NOT NULL DEFAULT 0,
  sent_by_delivery_c INTEGER NOT NULL DEFAULT 0,
  read_by_delivery_a INTEGER NOT NULL DEFAULT 0,
  read_by_delivery_b INTEGER NOT NULL DEFAULT 0,
  read_by_delivery_c INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery_a INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery_b INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery_c INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_by_delivery_a INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_by_delivery_b INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_by_delivery_c INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, ad, day)
) STRICT, WITHOUT ROWID;

-- The same counts per ad, day and country; 'unknown' is a country here, and the country tells the class.
CREATE TABLE rollup_country (
  account INTEGER NOT NULL,
  ad INTEGER NOT NULL,
  day INTEGER NOT NULL,
  country TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0,
  link_btn_click INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked INTEGER NOT NULL DEFAULT 0,
  spend_micros INTEGER NOT NULL DEFAULT 0,
  unpriced INTEGER NOT NULL DEFAULT 0,
  sent_by_delivery INTEGER NOT NULL DEFAULT 0,
  read_by_delivery INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery INTEGER NOT NULL DEFAULT 0,
  link_btn_clicked_by_delivery INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, ad, day, country)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_failure (
  account INTEGER NOT NULL,
  ad INTEGER NOT NULL,
  day INTEGER NOT NULL,
  error_message TEXT NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY (account, ad, day, error_message)
) STRICT, WITHOUT ROWID;

-- Facts that wait for their ad to be registered. The key is the whole fact, so a retry parks nothing twice.
CREATE TABLE parked (
  ad_id TEXT NOT NULL,
  page_id TEXT NOT NULL,
  subscriber TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  tracking_id TEXT NOT NULL,
  mid TEXT NOT NULL,
  price_micros INTEGER NOT NULL,
  country TEXT NOT NULL,
  error_message TEXT NOT NULL,
  PRIMARY KEY (ad_id, page_id, subscriber, kind, at, tracking_id, mid, price_micros, country, error_message)
) STRICT, WITHOUT ROWID;

-- Changes that could not be read as facts, without their personal ids. The key is a digest of the change.
CREATE TABLE rejected (
  change_digest TEXT PRIMARY KEY,
  received_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  change TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which events each page's webhooks brought, since when and until when.
CREATE TABLE page_event (
  page_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  first_received_at INTEGER NOT NULL,
  last_received_at INTEGER NOT NULL,
  PRIMARY KEY (page_id, kind)
) STRICT, WITHOUT ROWID;

-- Ads whose threads are to be resolved anew, each with the subscriber after whom to go on.
CREATE TABLE unresolved_ad (
  ad INTEGER PRIMARY KEY,
  after_subscriber TEXT NOT NULL
) STRICT;

-- How far an interrupted import came: bytes and lines committed, and the digest of those bytes.
CREATE TABLE import_checkpoint (
  file TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;

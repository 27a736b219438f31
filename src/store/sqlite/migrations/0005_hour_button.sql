-- Hours in the place of days: a local hour is its day times 24 and the hour of the day. The hour of what is stored already
-- is not known here, so it stands as the first of its day, in the ledger and in the rollups alike, until every thread is
-- resolved anew.
ALTER TABLE message RENAME COLUMN sent_day TO sent_hour;
ALTER TABLE message RENAME COLUMN delivered_day TO delivered_hour;
ALTER TABLE message RENAME COLUMN read_day TO read_hour;
UPDATE message SET sent_hour = sent_hour * 24, delivered_hour = delivered_hour * 24, read_hour = read_hour * 24;

ALTER TABLE click RENAME COLUMN day TO hour;
UPDATE click SET hour = hour * 24;

-- The button that was clicked, where a fact named it.
ALTER TABLE click ADD COLUMN btn_name TEXT;

CREATE TABLE parked_anew (
  ad_id TEXT NOT NULL,
  page_id TEXT NOT NULL,
  subscriber TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  tracking_id TEXT NOT NULL,
  mid TEXT NOT NULL,
  price_micros INTEGER NOT NULL,
  country TEXT NOT NULL,
  btn_name TEXT NOT NULL,
  error_message TEXT NOT NULL,
  PRIMARY KEY (
    ad_id, page_id, subscriber, kind, at, tracking_id, mid, price_micros, country, btn_name, error_message
  )
) STRICT, WITHOUT ROWID;

INSERT INTO parked_anew
SELECT ad_id, page_id, subscriber, kind, at, tracking_id, mid, price_micros, country, '', error_message FROM parked;
DROP TABLE parked;
ALTER TABLE parked_anew RENAME TO parked;

-- The counts of `rollup` by the hour of the day.
CREATE TABLE rollup_hour (
  account INTEGER NOT NULL,
  ad INTEGER NOT NULL,
  day INTEGER NOT NULL,
  hour INTEGER NOT NULL,
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
  PRIMARY KEY (account, ad, day, hour)
) STRICT, WITHOUT ROWID;

INSERT INTO rollup_hour
SELECT account, ad, day, 0, sent_a, sent_b, sent_c, delivered_a, delivered_b, delivered_c, read_a, read_b, read_c,
  link_btn_click_a, link_btn_click_b, link_btn_click_c, link_btn_clicked_a, link_btn_clicked_b, link_btn_clicked_c,
  spend_micros_a, spend_micros_b, spend_micros_c, unpriced_a, unpriced_b, unpriced_c,
  sent_by_delivery_a, sent_by_delivery_b, sent_by_delivery_c,
  read_by_delivery_a, read_by_delivery_b, read_by_delivery_c,
  link_btn_click_by_delivery_a, link_btn_click_by_delivery_b, link_btn_click_by_delivery_c,
  link_btn_clicked_by_delivery_a, link_btn_clicked_by_delivery_b, link_btn_clicked_by_delivery_c
FROM rollup;

-- Clicks by the name of their button; those whose button nobody named have no row.
CREATE TABLE rollup_btn_name (
  account INTEGER NOT NULL,
  ad INTEGER NOT NULL,
  day INTEGER NOT NULL,
  btn_name TEXT NOT NULL,
  link_btn_click_a INTEGER NOT NULL DEFAULT 0,
  link_btn_click_b INTEGER NOT NULL DEFAULT 0,
  link_btn_click_c INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery_a INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery_b INTEGER NOT NULL DEFAULT 0,
  link_btn_click_by_delivery_c INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, ad, day, btn_name)
) STRICT, WITHOUT ROWID;

-- An account has cells of its own by country, too.
INSERT INTO rollup_country
SELECT account, 0, day, country, SUM(sent), SUM(delivered), SUM(read), SUM(link_btn_click), SUM(link_btn_clicked),
  SUM(spend_micros), SUM(unpriced), SUM(sent_by_delivery), SUM(read_by_delivery), SUM(link_btn_click_by_delivery),
  SUM(link_btn_clicked_by_delivery)
FROM rollup_country GROUP BY account, day, country;

INSERT OR REPLACE INTO unresolved_ad (ad, after_subscriber) SELECT ad, '' FROM ad;

-- A message is most of the file, so its row is made short. A tracking id that is a UUID, as Meta's are, is its 16 bytes. The
-- times at which its price and its thread's country were told are counted from its own time, the earliest of the three. And
-- the country that a fact named stands here: `recipient` has it for threads without messages.
CREATE TABLE message_anew (
  ad INTEGER NOT NULL,
  subscriber TEXT NOT NULL,
  tracking_id ANY NOT NULL,
  sent_at INTEGER,
  delivered_at INTEGER,
  read_at INTEGER,
  mid TEXT,
  price_micros INTEGER,
  price_told_after INTEGER,
  country TEXT,
  country_told_after INTEGER,
  region_class TEXT NOT NULL,
  sent_hour INTEGER,
  delivered_hour INTEGER,
  read_hour INTEGER,
  resolved_price_micros INTEGER,
  PRIMARY KEY (ad, subscriber, tracking_id)
) STRICT, WITHOUT ROWID;

INSERT INTO message_anew
SELECT ad, subscriber, coalesce(uuid, tracking_id), sent_at, delivered_at, read_at, mid, price_micros, price_at - own_at,
  country, country_at - own_at, region_class, sent_hour, delivered_hour, read_hour, resolved_price_micros
FROM (
  SELECT message.*, country_at,
    min(ifnull(sent_at, 9e15), ifnull(delivered_at, 9e15), ifnull(read_at, 9e15)) AS own_at,
    CASE
      WHEN tracking_id GLOB '????????-????-????-????-????????????' AND tracking_id = lower(tracking_id)
      THEN unhex(tracking_id, '-')
    END AS uuid
  FROM message LEFT JOIN recipient USING (ad, subscriber)
);
DROP TABLE message;
ALTER TABLE message_anew RENAME TO message;

DELETE FROM recipient
WHERE EXISTS (SELECT 1 FROM message WHERE message.ad = recipient.ad AND message.subscriber = recipient.subscriber);

CREATE TABLE click_anew (
  ad INTEGER NOT NULL,
  subscriber TEXT NOT NULL,
  at INTEGER NOT NULL,
  mid TEXT NOT NULL,
  country TEXT,
  region_class TEXT NOT NULL,
  hour INTEGER NOT NULL,
  credited_tracking_id ANY,
  btn_name TEXT,
  PRIMARY KEY (ad, subscriber, at, mid)
) STRICT, WITHOUT ROWID;

INSERT INTO click_anew
SELECT ad, subscriber, at, mid, country, region_class, hour,
  CASE
    WHEN credited_tracking_id GLOB '????????-????-????-????-????????????'
      AND credited_tracking_id = lower(credited_tracking_id)
    THEN coalesce(unhex(credited_tracking_id, '-'), credited_tracking_id)
    ELSE credited_tracking_id
  END,
  btn_name
FROM click;
DROP TABLE click;
ALTER TABLE click_anew RENAME TO click;

-- What a campaign's owner said of it, as JSON that is only read back, and whether it was deleted: it is listed no more
-- then, and its ledger stays. Times are milliseconds since 1970, and NULL where nobody knows them.
ALTER TABLE campaign ADD COLUMN status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DELETED'));
ALTER TABLE campaign ADD COLUMN created_at INTEGER;
ALTER TABLE campaign ADD COLUMN updated_at INTEGER;
ALTER TABLE campaign ADD COLUMN details TEXT NOT NULL DEFAULT '{}';

-- An edge lists a page of ids in their order, however many there are. (A key without rowid ends its indexes anyway.)
DROP INDEX ad_of_account;
DROP INDEX ad_of_adset;
DROP INDEX ad_of_campaign;
CREATE INDEX ad_of_account ON ad (account, ad_id);
CREATE INDEX ad_of_adset ON ad (adset_id, ad_id);
CREATE INDEX ad_of_campaign ON ad (campaign_id, ad_id);
CREATE INDEX campaign_of_account ON campaign (account);
CREATE INDEX adset_of_account ON adset (account);
CREATE INDEX adset_of_campaign ON adset (campaign_id);

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { TemporaryFolder } from '../../../test/open.ts'
import { Admission } from '../admission.ts'
import { catchUp } from '../catch-up.ts'
import { type Discrepancy, verify } from '../verify.ts'
import { openSqliteStore } from './store.ts'

const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** A database as Readout left it that knew the first three migrations, with one message in New York and a parked fact. */
const LEDGER_OF_DAYS = `
  INSERT INTO account VALUES (1, '1', 'One', 'USD', 'America/New_York');
  INSERT INTO campaign (campaign_id, account, name) VALUES ('500', 1, 'Spring');
  INSERT INTO adset VALUES ('500', 1, '500', 'Spring');
  INSERT INTO ad VALUES (1, '500', 1, '500', '500', 'Spring');
  INSERT INTO message (ad, subscriber, tracking_id, delivered_at, country, region_class, delivered_day)
    VALUES (1, 'ann', 't1', ${Date.parse('2026-11-20T18:30:00Z')}, 'BR', 'c', 20777);
  INSERT INTO click VALUES (1, 'ann', ${Date.parse('2026-11-21T03:30:00Z')}, '', 'BR', 'c', 20777, 't1');
  INSERT INTO recipient VALUES (1, 'ann', 'BR', 1);
  INSERT INTO parked VALUES ('600', '9', 'ann', 'clicked', 1, '', '', -1, '', '');
  INSERT INTO rollup (account, ad, day, delivered_c, unpriced_c, link_btn_click_c, link_btn_clicked_c,
    link_btn_click_by_delivery_c, link_btn_clicked_by_delivery_c)
    VALUES (1, 0, 20777, 1, 1, 1, 1, 1, 1), (1, 1, 20777, 1, 1, 1, 1, 1, 1);
  INSERT INTO rollup_country (account, ad, day, country, delivered, unpriced, link_btn_click, link_btn_clicked,
    link_btn_click_by_delivery, link_btn_clicked_by_delivery)
    VALUES (1, 1, 20777, 'BR', 1, 1, 1, 1, 1, 1);`

test('a database that counted by day is brought to hours, and every rollup is the sum of its threads meanwhile', async () => {
  using folder = new TemporaryFolder()
  const file = folder.file('readout.db')
  const migrations = readdirSync(MIGRATIONS).sort().slice(0, 3)
  {
    using db = new DatabaseSync(file)
    for (const migration of migrations) db.exec(readFileSync(join(MIGRATIONS, migration), 'utf8'))
    db.exec(`PRAGMA application_id = ${0x52656164}; PRAGMA user_version = ${migrations.length}`)
    db.exec(LEDGER_OF_DAYS)
  }
  await using store = openSqliteStore(file)
  const findDiscrepancies = async () => {
    const discrepancies: Discrepancy[] = []
    await store.read((tables) => verify(tables, (one) => discrepancies.push(one)))
    return discrepancies
  }
  const readHours = async () => {
    const sum = { breakdown: 'hour', columns: ['delivered_c', 'link_btn_click_c'], by_day: false } as const
    const hours = await store.rollups.readBreakdownSums({ account: 1, ads: [0] }, { since: 0, until: 99_999 }, sum)
    return hours.map(({ value, sums }) => `${value}: ${sums}`)
  }
  assert.deepEqual([await findDiscrepancies(), await readHours()], [[], ['0: 1,1']])
  await catchUp(store, new Admission(), () => 0)
  assert.deepEqual([await findDiscrepancies(), await readHours()], [[], ['13: 1,0', '22: 0,1']])
  assert.deepEqual(await store.setAside.listParked(), [{ ad_id: '600', page_id: '9', facts: 1 }])
})

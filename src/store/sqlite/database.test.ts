import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { TemporaryFolder } from '../../../test/temporary-folder.ts'
import { Admission } from '../admission.ts'
import { catchUp } from '../catch-up.ts'
import { type Discrepancy, verify } from '../verify.ts'
import { openDatabase } from './database.ts'
import { openSqliteStore } from './store.ts'

const UUID = '0b6f7f0e-9a54-4c0f-8f1d-2f1f6f0c3a11'
const DELIVERED_AT = Date.parse('2026-11-20T18:30:00Z')
const CLICKED_AT = Date.parse('2026-11-21T03:30:00Z')

const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** A database as Readout left it that knew the first three migrations, with messages in New York and a parked fact. */
const LEDGER_OF_DAYS = `
  INSERT INTO account VALUES (1, '1', 'One', 'USD', 'America/New_York');
  INSERT INTO campaign (campaign_id, account, name) VALUES ('500', 1, 'Spring');
  INSERT INTO adset VALUES ('500', 1, '500', 'Spring');
  INSERT INTO ad VALUES (1, '500', 1, '500', '500', 'Spring');
  INSERT INTO message (ad, subscriber, tracking_id, delivered_at, price_micros, price_at, country, region_class,
    delivered_day)
    VALUES (1, 'ann', '${UUID}', ${DELIVERED_AT}, 7, ${DELIVERED_AT + 5}, 'BR', 'c', 20777),
      (1, 'bob', 'Not-a-UUID', ${DELIVERED_AT}, NULL, NULL, NULL, 'c', 20777);
  INSERT INTO click VALUES (1, 'ann', ${CLICKED_AT}, '', 'BR', 'c', 20777, '${UUID}');
  INSERT INTO recipient VALUES (1, 'ann', 'BR', ${DELIVERED_AT - 5}), (1, 'cem', 'US', 1);
  INSERT INTO parked VALUES ('600', '9', 'ann', 'clicked', 1, '', '', -1, '', '');
  UPDATE message SET resolved_price_micros = 7 WHERE subscriber = 'ann';
  INSERT INTO rollup (account, ad, day, delivered_c, unpriced_c, spend_micros_c, link_btn_click_c, link_btn_clicked_c,
    link_btn_click_by_delivery_c, link_btn_clicked_by_delivery_c)
    VALUES (1, 0, 20777, 2, 1, 7, 1, 1, 1, 1), (1, 1, 20777, 2, 1, 7, 1, 1, 1, 1);
  INSERT INTO rollup_country (account, ad, day, country, delivered, unpriced, spend_micros, link_btn_click,
    link_btn_clicked, link_btn_click_by_delivery, link_btn_clicked_by_delivery)
    VALUES (1, 1, 20777, 'BR', 1, 0, 7, 1, 1, 1, 1), (1, 1, 20777, 'unknown', 1, 1, 0, 0, 0, 0, 0);`

const MESSAGE = { sent_at: null, delivered_at: DELIVERED_AT, read_at: null, mid: null }

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
  assert.deepEqual([await findDiscrepancies(), await readHours()], [[], ['0: 2,1']])
  await catchUp(store, new Admission(), () => 0)
  assert.deepEqual([await findDiscrepancies(), await readHours()], [[], ['13: 2,0', '22: 0,1']])
  const [ann, bob, cem] = await store.threads.read(
    ['ann', 'bob', 'cem'].map((subscriber) => ({ account: 1, ad: 1, subscriber })),
  )
  assert.deepEqual(ann?.facts, {
    country: { value: 'BR', at: DELIVERED_AT - 5 },
    messages: [{ ...MESSAGE, tracking_id: UUID, price_micros: { value: 7n, at: DELIVERED_AT + 5 } }],
    clicks: [{ at: CLICKED_AT, mid: null, btn_name: null }],
    failures: [],
  })
  assert.equal(ann.resolution.clicks[0]?.credited, 0)
  assert.deepEqual(bob?.facts.messages, [{ ...MESSAGE, tracking_id: 'Not-a-UUID', price_micros: null }])
  assert.deepEqual(cem?.facts.country, { value: 'US', at: 1 })
  assert.deepEqual(await store.setAside.listParked(), [{ ad_id: '600', page_id: '9', facts: 1 }])
})

test('a database is opened so that a power cut leaves it whole, and what is deleted is overwritten', () => {
  using folder = new TemporaryFolder()
  using db = openDatabase(folder.file('readout.db'))
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  // Of synchronous, 1 is NORMAL: decision 0014.
  const wanted = { journal_mode: 'wal', synchronous: 1, secure_delete: 1 }
  for (const [name, value] of Object.entries(wanted)) assert.equal(pragma(name), value, name)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ON_POSTGRES, openDatabase } from '../../../test/database.ts'
import { countFailuresNaively, countNaively, type ModelWorld } from '../../../test/model.ts'
import { countLines, readRollupLines } from '../../../test/rollup-lines.ts'
import { FACT_KINDS, type Fact } from '../../domain/fact.ts'
import { Admission, singleIdAd } from '../admission.ts'
import { append } from '../append.ts'
import { catchUp, catchUpStep } from '../catch-up.ts'
import { gather } from '../gather.ts'
import { openStore } from '../open.ts'
import { REPORT_LIFE_MS, REPORT_ROWS_PER_COMMIT, removeExpiredReports } from '../reports.ts'
import { ACCOUNT_CELLS, RollupCells } from '../rollup-cells.ts'
import type { RejectedChange } from '../set-aside.ts'
import type { Store, Tables } from '../store.ts'
import { type Discrepancy, verify } from '../verify.ts'

const SERVERS = 3
const FACTS = 3000
const ACTS = 40
const BATCH = 60
/** Of facts to servers, each on a new database. */
const DEALS = 5
/** Of one table, and how often each server writes them. */
const ROWS = 300
const TIMES = 20
const START_MS = Date.parse('2026-11-17T00:00:00Z')
/** Ads by the page that tells of them; `103` is linked to both accounts, so its ads wait to be claimed. */
const AD_PAGES: Record<string, string> = { '11': '101', '12': '101', '21': '102', '31': '103', '32': '103' }
const ACCOUNTS = { '1': ['101', '103'], '2': ['102', '103'] }

/** Few people and few messages, so that every server has facts of every thread. */
const arbitraryFact: fc.Arbitrary<Fact> = fc
  .record({
    kind: fc.constantFrom(...FACT_KINDS),
    at: fc.nat(200).map((i) => START_MS + i * 1_000_000),
    ad_id: fc.constantFrom(...Object.keys(AD_PAGES)),
    subscriber: fc.nat(30).map((i) => `subscriber ${i}`),
    tracking_id: fc.nat(5).map(String),
    price_micros: fc.option(fc.bigInt(0n, 99n), { freq: 3 }),
    country: fc.option(fc.constantFrom('DE', 'US', 'BR'), { freq: 5 }),
  })
  .map((fact) => {
    const isMessage = fact.kind !== 'clicked' && fact.kind !== 'failed'
    const kept = isMessage ? fact : { ...fact, tracking_id: null, price_micros: null }
    const error_message = fact.kind === 'failed' ? 'away' : null
    return { ...kept, page_id: AD_PAGES[fact.ad_id] ?? '', mid: null, btn_name: null, error_message }
  })

/** What an administrator does, the `i`th time. */
const arbitraryAct = fc.record({
  kind: fc.constantFrom('zone', 'rate', 'country', 'claim', 'move'),
  account_id: fc.constantFrom(...Object.keys(ACCOUNTS)),
  ad_id: fc.constantFrom('31', '32'),
  i: fc.nat(30),
})

type Act = typeof arbitraryAct extends fc.Arbitrary<infer One> ? One : never

async function administer({ registry, rollups }: Tables, { kind, account_id, ad_id, i }: Act): Promise<void> {
  const { account = -1 } = (await registry.readAccount(account_id)) ?? {}
  const isClaimed = (await registry.readNode(ad_id)) !== undefined
  if (kind === 'zone') {
    const time_zone = ['UTC', 'Asia/Kolkata', 'America/New_York'][i % 3]
    await registry.setAccount(account_id, { time_zone, link_page_ids: [], unlink_page_ids: [] })
  } else if (kind === 'rate') {
    await registry.writeRates(account, [{ country: '*', valid_from: 20_000 + i, price_micros: BigInt(i) }])
  } else if (kind === 'country') {
    await registry.writeCountries(new Map([[`subscriber ${i}`, 'JP']]))
    await registry.resolveAll()
  } else if (kind === 'claim' && !isClaimed) {
    await registry.addAd(singleIdAd(ad_id, account))
  } else if (kind === 'move' && isClaimed) {
    await registry.moveCampaign(ad_id, account)
    for (const one of await registry.listAccounts()) await rollups.sumAccount(one.account)
  }
}

async function addAccounts(store: Store): Promise<void> {
  for (const [account_id, page_ids] of Object.entries(ACCOUNTS)) {
    const fields = { account_id, name: account_id, currency: 'USD', time_zone: 'UTC', page_ids }
    await store.write(({ registry }) => registry.addAccount(fields))
  }
}

/** One of few, so that every server sets each of them aside. */
function rejectionOf({ subscriber }: Fact): RejectedChange {
  return { reason: 'it is not read', change: subscriber }
}

async function take(store: Store, admission: Admission, facts: readonly Fact[]): Promise<void> {
  await store.write(async (tables) => {
    await admission.open(tables.registry, START_MS)
    await tables.setAside.reject(facts.map(rejectionOf), START_MS)
    await append(tables, admission, gather(facts))
    await tables.arrivals.notePageEvents(facts, START_MS + (facts[0]?.at ?? 0))
  }, 'shared')
}

/** Takes two thirds of the facts in an order of its own, and catches up now and then. */
async function serve(store: Store, facts: readonly Fact[], server: number): Promise<void> {
  const admission = new Admission()
  const own = facts.filter((_, i) => i % SERVERS !== server)
  if (server % 2 === 1) own.reverse()
  for (let i = 0; i < own.length; i += BATCH) {
    await take(store, admission, own.slice(i, i + BATCH))
    if (i % (4 * BATCH) === 0) await catchUpStep(store, admission, START_MS)
  }
}

/** Opens a new database as several servers do, which all migrate it at once. */
async function openServers(parts: AsyncDisposableStack): Promise<Store[]> {
  const database = parts.use(await openDatabase())
  const stores = await Promise.all(Array.from({ length: SERVERS + 1 }, () => openStore(database.name)))
  for (const store of stores) parts.use(store)
  return stores
}

test(
  'servers that write at once leave what one after another would, and none waits for ever',
  ON_POSTGRES,
  async () => {
    await using parts = new AsyncDisposableStack()
    const facts = fc.sample(arbitraryFact, { numRuns: FACTS, seed: 1 })
    const acts = fc.sample(arbitraryAct, { numRuns: ACTS, seed: 1 })
    const [admin, ...servers] = (await openServers(parts)) as [Store, ...Store[]]
    await addAccounts(admin)
    const serving = servers.map((store, server) => serve(store, facts, server))
    for (const act of acts) {
      await admin.write((tables) => administer(tables, act))
      await catchUpStep(admin, new Admission(), START_MS)
    }
    await Promise.all(serving)
    await catchUp(admin, new Admission(), () => START_MS)
    const discrepancies: Discrepancy[] = []
    await admin.read((tables) => verify(tables, (one) => discrepancies.push(one)))
    assert.deepEqual(discrepancies, [])

    const alone = parts.use(await openStore(':memory:'))
    await addAccounts(alone)
    for (const act of acts) await alone.write((tables) => administer(tables, act))
    await take(alone, new Admission(), facts)
    await catchUp(alone, new Admission(), () => START_MS)
    assert.deepEqual(await readRollupLines(admin), await readRollupLines(alone))
  },
)

test('claimReport() gives a report to one server at a time', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const [first, second] = (await openServers(parts)) as [Store, Store]
  assert.ok(parts.use(await first.claimReport(1)) !== undefined)
  assert.equal(parts.use(await second.claimReport(1)), undefined)
  assert.ok(parts.use(await second.claimReport(2)) !== undefined)
})

test('removeExpiredReports() removes what another server removes at the same time', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const stores = (await openServers(parts)) as [Store, ...Store[]]
  const [first] = stores
  await addAccounts(first)
  const { account = -1 } = (await first.registry.readAccount('1')) ?? {}
  const rows = Array.from({ length: 2 * REPORT_ROWS_PER_COMMIT + 1 }, (_, i) => `{"row":${i}}`)
  for (const run_id of ['8', '9']) {
    const order = { run_id, account, node_id: 'act_1', parameters: {}, days: undefined, created_at: START_MS }
    await first.write(async ({ reports }) => {
      await reports.add(order)
      await reports.addRows((await reports.read(run_id))?.run ?? -1, 0, rows)
    })
  }
  const { signal } = new AbortController()
  await Promise.all(stores.map((store) => removeExpiredReports(store, START_MS + REPORT_LIFE_MS, signal)))
  assert.deepEqual(await first.reports.listCreatedBefore(START_MS + 1), [])
  for (const run of [1, 2]) assert.deepEqual(await first.reports.readRows(run, 0, rows.length), [])
})

test('rows that every server wants are taken in one order, whatever order they come in', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const stores = (await openServers(parts)) as [Store, ...Store[]]
  await addAccounts(stores[0])
  const { account = -1 } = (await stores[0].registry.readAccount('1')) ?? {}
  const days = Array.from({ length: ROWS }, (_, i) => i)
  let minute = 0
  const writing = stores.map(async (store, server) => {
    const own = server % 2 === 0 ? days : days.toReversed()
    const cells = new RollupCells()
    const at = { region_class: 'c', country: 'US', btn_name: null, counter: 'sent', amount: 1n } as const
    for (const day of own) cells.add(account, 1, { ...at, hour: day * 24 })
    const events = own.map((day) => ({ page_id: String(day), kind: 'sent' as const }))
    for (let i = 0; i < TIMES; i++) {
      // Apart: whoever had the cells first would have the events first as well.
      await store.write(({ rollups }) => rollups.add(cells.ofAccounts()), 'shared')
      await store.write(({ arrivals }) => arrivals.notePageEvents(events, START_MS + 61_000 * minute++), 'shared')
    }
  })
  await Promise.all(writing)
  const node = { account, ads: [ACCOUNT_CELLS] }
  const { sums } = await stores[0].rollups.sumColumns(node, { since: 0, until: ROWS }, ['sent_c'])
  assert.equal(sums[0], BigInt(stores.length * ROWS * TIMES))
})

/** A fact, which of the servers are told of it, as bits, and when each of them is. */
const arbitraryDealt = fc.record({
  fact: arbitraryFact,
  servers: fc.integer({ min: 1, max: 2 ** SERVERS - 1 }),
  place: fc.array(fc.nat(), { minLength: SERVERS, maxLength: SERVERS }),
})

const arbitraryDeal = fc.record({
  dealt: fc.array(arbitraryDealt, { minLength: 200, maxLength: 400 }),
  batch: fc.array(fc.integer({ min: 10, max: 60 }), { minLength: SERVERS, maxLength: SERVERS }),
})

type Deal = typeof arbitraryDeal extends fc.Arbitrary<infer One> ? One : never

/** Nobody claims the ads of page `103`. */
const UNCLAIMED: ModelWorld = {
  accountOf: (ad_id) => ({ '101': '1', '102': '2' })[AD_PAGES[ad_id] ?? ''],
  timeZoneOf: () => 'UTC',
  listedCountry: () => undefined,
  ratesOf: () => [],
}

/** Takes what a server is told, in its own order and its own batches. */
async function takeDealt(store: Store, { dealt, batch }: Deal, server: number): Promise<void> {
  const admission = new Admission()
  const placeOf = ({ place }: Deal['dealt'][number]) => place[server] ?? 0
  const own = dealt.filter(({ servers }) => servers & (1 << server)).sort((a, b) => placeOf(a) - placeOf(b))
  const size = batch[server] ?? 1
  for (let i = 0; i < own.length; i += size) {
    await take(
      store,
      admission,
      own.slice(i, i + size).map(({ fact }) => fact),
    )
  }
}

test('facts that are dealt to servers in any way come to what the naive model counts', ON_POSTGRES, async () => {
  const property = fc.asyncProperty(arbitraryDeal, async (deal) => {
    await using parts = new AsyncDisposableStack()
    const servers = (await openServers(parts)).slice(0, SERVERS) as [Store, ...Store[]]
    await addAccounts(servers[0])
    // Each rejects where it waits for another in a circle.
    await Promise.all(servers.map((store, server) => takeDealt(store, deal, server)))
    const facts = deal.dealt.map(({ fact }) => fact)
    const expected = countLines(countNaively(facts, UNCLAIMED), countFailuresNaively(facts, UNCLAIMED))
    assert.deepEqual(await readRollupLines(servers[0]), expected)
    const parked = facts.filter(({ ad_id }) => UNCLAIMED.accountOf(ad_id) === undefined)
    const stored = await servers[0].setAside.listParked()
    assert.equal(
      stored.reduce((sum, one) => sum + one.facts, 0),
      new Set(parked.map((fact) => JSON.stringify(fact, (_, one) => (typeof one === 'bigint' ? String(one) : one))))
        .size,
    )
  })
  // Chance is with the servers as well, so a shorter deal cannot be looked for.
  await fc.assert(property, { numRuns: DEALS, endOnFailure: true })
})

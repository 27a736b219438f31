import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openEmptyStore, runs } from '../../test/database.ts'
import { countFailuresNaively, countNaively, type ModelWorld, NaiveLedger } from '../../test/model.ts'
import { countLines, readRollupLines } from '../../test/rollup-lines.ts'
import { COUNTERS } from '../domain/counter.ts'
import { DAY_MS, formatDay, parseDay } from '../domain/day.ts'
import { FACT_KINDS, type Fact } from '../domain/fact.ts'
import { Admission, singleIdAd } from './admission.ts'
import { append, CELLS_AT_ONCE } from './append.ts'
import { catchUp } from './catch-up.ts'
import { gather } from './gather.ts'
import { prune } from './prune.ts'
import type { Account } from './registry.ts'
import { ACCOUNT_CELLS, ROLLUP_COLUMNS, type RollupColumn } from './rollup-cells.ts'
import type { NodeCells } from './rollups.ts'
import type { Store, Tables } from './store.ts'
import { type Discrepancy, rebuild, verify } from './verify.ts'

const ACCOUNTS = ['1', '2']
const TIME_ZONES = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']
const COUNTRIES = ['DE', 'JP', 'KR', 'BR', 'US']
/** Ads by the page that tells of them: `shared` is linked to both accounts, so its ads wait to be claimed. */
const AD_PAGES: Record<string, string> = { '11': '101', '12': '101', '21': '102', '31': '103', '32': '103' }
/** Around the night on which New York leaves daylight-saving time. */
const START_MS = Date.parse('2026-10-31T20:00:00Z')
/** Few instants, some of them within one second, so that facts meet. */
const INSTANTS = Array.from({ length: 48 }, (_, i) => START_MS + Math.floor(i / 4) * 5.5 * 3_600_000 + (i % 4) * 300)

const arbitraryFact: fc.Arbitrary<Fact> = fc
  .record({
    kind: fc.constantFrom(...FACT_KINDS),
    at: fc.constantFrom(...INSTANTS),
    ad_id: fc.constantFrom(...Object.keys(AD_PAGES)),
    subscriber: fc.constantFrom('ann', 'ann', 'bob'),
    // As Meta's are, and as others may be.
    tracking_id: fc.constantFrom('t1', 'T2', '0b6f7f0e-9a54-4c0f-8f1d-2f1f6f0c3a11'),
    mid: fc.constantFrom(null, null, 'm1', 'm2', 'm3'),
    price_micros: fc.option(fc.bigInt(0n, 3_000_000n), { freq: 3 }),
    country: fc.option(fc.constantFrom(...COUNTRIES), { freq: 5 }),
    btn_name: fc.constantFrom(null, 'Buy', 'See more'),
    error_message: fc.constantFrom('away', 'blocked'),
  })
  .map((fact) => shaped({ ...fact, page_id: AD_PAGES[fact.ad_id] ?? '' }))

/** Leaves out what a fact of its kind does not carry. */
function shaped(fact: Fact): Fact {
  if (fact.kind === 'clicked') return { ...fact, tracking_id: null, price_micros: null, error_message: null }
  if (fact.kind !== 'failed') return { ...fact, btn_name: null, error_message: null }
  return { ...fact, tracking_id: null, mid: null, btn_name: null, price_micros: null }
}

type Act =
  | { kind: 'append'; picks: number[] }
  | { kind: 'zone'; account_id: string; time_zone: string }
  | { kind: 'rate'; account_id: string; country: string; day: number; price_micros: bigint }
  | { kind: 'country'; subscriber: string; country: string }
  | { kind: 'claim' | 'move'; ad_id: string; account_id: string }
  | { kind: 'catch up' }
  | { kind: 'prune'; account_id: string; day: number }

const arbitraryAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), picks: fc.array(fc.nat()) }) },
  fc.record({
    kind: fc.constant('zone' as const),
    account_id: fc.constantFrom(...ACCOUNTS),
    time_zone: fc.constantFrom(...TIME_ZONES),
  }),
  fc.record({
    kind: fc.constant('rate' as const),
    account_id: fc.constantFrom(...ACCOUNTS),
    country: fc.constantFrom('*', ...COUNTRIES),
    day: fc.integer({ min: -2, max: 3 }),
    price_micros: fc.bigInt(0n, 9_000_000n),
  }),
  fc.record({
    kind: fc.constant('country' as const),
    subscriber: fc.constantFrom('ann', 'bob'),
    country: fc.constantFrom(...COUNTRIES),
  }),
  fc.record({
    kind: fc.constantFrom('claim' as const, 'move' as const),
    ad_id: fc.constantFrom('31', '32'),
    account_id: fc.constantFrom(...ACCOUNTS),
  }),
  fc.constant({ kind: 'catch up' as const }),
)

/** Ads of one account, with days enough for more cells than are added at once. */
const ADS_OF_MANY = ['11', '12', '13', '14', '15']

const arbitraryPrune: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('prune' as const),
  account_id: fc.constantFrom(...ACCOUNTS),
  day: fc.integer({ min: -1, max: 3 }),
})

/** A store with its two accounts, and the same world as the naive model sees it. */
class World implements ModelWorld {
  readonly store: Store
  readonly admission = new Admission()
  readonly ledger = new NaiveLedger()
  readonly #zones = new Map(ACCOUNTS.map((account_id) => [account_id, 'UTC']))
  readonly #countries = new Map<string, string>()
  readonly #claims = new Map<string, string>([
    ['11', '1'],
    ['12', '1'],
    ['21', '2'],
  ])
  readonly #rates = new Map<string, { country: string; valid_from: string; price_micros: bigint }[]>()

  accountOf = (ad_id: string) => this.#claims.get(ad_id)
  timeZoneOf = (account_id: string) => this.#zones.get(account_id) ?? 'UTC'
  listedCountry = (subscriber: string) => this.#countries.get(subscriber)
  ratesOf = (account_id: string) => this.#rates.get(account_id) ?? []

  private constructor(store: Store) {
    this.store = store
  }

  static async open(): Promise<World> {
    const world = new World(await openEmptyStore())
    const pages: Record<string, string[]> = { '1': ['101', '103'], '2': ['102', '103'] }
    for (const account_id of ACCOUNTS) {
      const page_ids = pages[account_id] ?? []
      await world.store.write(({ registry }) =>
        registry.addAccount({ account_id, name: account_id, currency: 'USD', time_zone: 'UTC', page_ids }),
      )
    }
    return world
  }

  append(facts: readonly Fact[]): Promise<unknown> {
    this.ledger.append(facts)
    return this.store.write(async (tables) => {
      await this.admission.open(tables.registry, START_MS)
      return append(tables, this.admission, gather(facts))
    })
  }

  async act(act: Act, facts: readonly Fact[]): Promise<void> {
    if (act.kind === 'append') await this.append(act.picks.flatMap((pick) => facts[pick % facts.length] ?? []))
    else if (act.kind === 'catch up') await this.catchUp()
    else if (act.kind === 'prune') await this.#prune(act)
    else await this.store.write((tables) => this.#administer(act, tables))
  }

  catchUp(): Promise<void> {
    return catchUp(this.store, this.admission, () => START_MS)
  }

  async #prune({ account_id, day }: Extract<Act, { kind: 'prune' }>): Promise<void> {
    const account = (await this.store.registry.readAccount(account_id)) as Account
    const ads = await this.store.registry.listAdsOf(account.account)
    const before = (parseDay('2026-11-01') ?? 0) + day
    const floor = Temporal.PlainDate.from(formatDay(before)).toZonedDateTime(this.timeZoneOf(account_id))
    const ad_ids = ads.map(({ ad_id }) => ad_id)
    this.ledger.prune(ad_ids, floor.epochMilliseconds, this)
    const nothing = { rest: async () => {}, onProgress: () => {} }
    await prune(this.store, this.admission, { accounts: [account], before, now_ms: () => START_MS, ...nothing })
  }

  async #administer(act: Exclude<Act, { kind: 'append' | 'catch up' | 'prune' }>, tables: Tables): Promise<void> {
    const { registry } = tables
    if (act.kind === 'zone') {
      this.#zones.set(act.account_id, act.time_zone)
      await registry.setAccount(act.account_id, { time_zone: act.time_zone, link_page_ids: [], unlink_page_ids: [] })
    } else if (act.kind === 'rate') {
      await this.#setRate(act, registry)
    } else if (act.kind === 'country') {
      this.#countries.set(act.subscriber, act.country)
      await registry.writeCountries(new Map([[act.subscriber, act.country]]))
      await registry.resolveAll()
    } else if (act.kind === 'move') {
      await this.#move(act.ad_id, act.account_id, tables)
    } else if (!this.#claims.has(act.ad_id)) {
      this.#claims.set(act.ad_id, act.account_id)
      await registry.addAd(singleIdAd(act.ad_id, await this.numberOf(act.account_id)))
    }
  }

  async #move(ad_id: string, account_id: string, { registry, rollups }: Tables): Promise<void> {
    if (!this.#claims.has(ad_id)) return
    this.#claims.set(ad_id, account_id)
    await registry.moveCampaign(ad_id, await this.numberOf(account_id))
    for (const id of ACCOUNTS) await rollups.sumAccount(await this.numberOf(id))
  }

  async #setRate(act: Extract<Act, { kind: 'rate' }>, registry: Store['registry']): Promise<void> {
    const { account_id, country, price_micros } = act
    const day = (parseDay('2026-11-01') ?? 0) + act.day
    const rates = this.ratesOf(account_id).filter((r) => r.country !== country || r.valid_from !== formatDay(day))
    this.#rates.set(account_id, [...rates, { country, valid_from: formatDay(day), price_micros }])
    await registry.writeRates(await this.numberOf(account_id), [{ country, valid_from: day, price_micros }])
  }

  async numberOf(account_id: string): Promise<number> {
    return (await this.store.registry.readAccount(account_id))?.account ?? -1
  }

  async findDiscrepancies(): Promise<Discrepancy[]> {
    const discrepancies: Discrepancy[] = []
    await this.store.read((tables) => verify(tables, (one) => discrepancies.push(one)))
    return discrepancies
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
  }
}

test('append() leaves the same rollups in any order, repetition, batching and change of context', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryFact, { minLength: 1, maxLength: 60 }),
      fc.array(arbitraryAct, { maxLength: 12 }),
      async (facts, acts) => {
        await using world = await World.open()
        for (const act of acts) await world.act(act, facts)
        await world.append(facts.toReversed())
        await world.catchUp()
        const expected = countLines(countNaively(facts, world), countFailuresNaively(facts, world))
        assert.deepEqual(await readRollupLines(world.store), expected)
        assert.deepEqual(await world.findDiscrepancies(), [])
      },
    ),
    { numRuns: runs(300) },
  )
})

test('prune() leaves every rollup as it is, and lets nothing count again that was counted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryFact, { minLength: 1, maxLength: 60 }),
      fc.array(fc.oneof({ weight: 3, arbitrary: arbitraryAct }, arbitraryPrune), { maxLength: 20 }),
      async (facts, acts) => {
        await using world = await World.open()
        for (const act of acts) await world.act(act, facts)
        await world.append(facts.toReversed())
        await world.catchUp()
        const expected = countLines(world.ledger.count(world), world.ledger.countFailures(world))
        assert.deepEqual(await readRollupLines(world.store), expected)
        assert.deepEqual(await world.findDiscrepancies(), [])
        await rebuild(world.store, world.admission, () => START_MS)
        assert.deepEqual(await readRollupLines(world.store), expected)
      },
    ),
    { numRuns: runs(300) },
  )
})

test('append() adds the cells of a batch of many days in parts, each once', async () => {
  await using world = await World.open()
  const days = Array.from({ length: 2 * CELLS_AT_ONCE + 100 }, (_, i) => i)
  const facts = days.map((day): Fact => {
    const of = { ad_id: ADS_OF_MANY[day % ADS_OF_MANY.length] as string, page_id: '101', subscriber: `s${day}` }
    const nothing = { mid: null, price_micros: 5n, country: null, btn_name: null, error_message: null }
    const at = START_MS - Math.floor(day / ADS_OF_MANY.length) * DAY_MS
    return { kind: 'delivered', at, ...of, tracking_id: `t${day}`, ...nothing }
  })
  await world.append(facts)
  const node = { account: await world.numberOf('1'), ads: [ACCOUNT_CELLS] }
  const { sums } = await world.store.rollups.sumColumns(node, { since: 0, until: 99_999 }, ['delivered_c'])
  assert.deepEqual(sums, [BigInt(facts.length)])
  // Thousands of them would take minutes to print.
  assert.equal((await world.findDiscrepancies()).length, 0)
})

test('sumColumns() gives a range the sum of its days, and an account the sum of its ads', async () => {
  const columns = ROLLUP_COLUMNS
  const bound = (parseDay('2026-11-01') ?? 0) - 2
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryFact, { minLength: 1, maxLength: 30 }),
      fc.nat(8),
      fc.nat(8),
      async (facts, a, b) => {
        await using world = await World.open()
        await world.append(facts)
        const sum = async (node: NodeCells, since: number, until: number) =>
          (await world.store.rollups.sumColumns(node, { since, until }, columns)).sums
        for (const account_id of ACCOUNTS) {
          const account = await world.numberOf(account_id)
          const own = { account, ads: [ACCOUNT_CELLS] }
          const [since, until] = [bound + Math.min(a, b), bound + Math.max(a, b)]
          const days = await Promise.all(range(since, until).map((day) => sum(own, day, day)))
          const ads = (await world.store.registry.listAds()).filter((ad) => ad.account === account).map(({ ad }) => ad)
          const whole = await sum(own, since, until)
          assert.deepEqual(added(days, columns), whole)
          assert.deepEqual(
            added(await Promise.all(ads.map((ad) => sum({ account, ads: [ad] }, since, until))), columns),
            whole,
          )
          assert.deepEqual(await sum({ account, ads }, since, until), whole)
        }
      },
    ),
    { numRuns: runs(100) },
  )
})

function range(since: number, until: number): number[] {
  return Array.from({ length: until - since + 1 }, (_, i) => since + i)
}

function added(all: readonly (readonly bigint[])[], columns: readonly RollupColumn[]): bigint[] {
  return columns.map((_, i) => all.reduce((sum, one) => sum + (one[i] ?? 0n), 0n))
}

test('append() counts every counter in some history, so that the property above says something', async () => {
  const facts = fc.sample(arbitraryFact, { numRuns: 60, seed: 1 })
  await using world = await World.open()
  await world.append(facts)
  const lines = await readRollupLines(world.store)
  for (const counter of COUNTERS)
    assert.ok(
      lines.some((line) => line.includes(counter)),
      counter,
    )
})

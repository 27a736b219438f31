import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DATE_PRESETS } from '../src/domain/date-preset.ts'
import { FACT_KINDS, type Fact } from '../src/domain/fact.ts'
import { answer } from '../src/graph/answer.ts'
import { Directory } from '../src/graph/directory.ts'
import { makeReport } from '../src/graph/report-job.ts'
import { formatRunId } from '../src/graph/report-order.ts'
import { Admission } from '../src/store/admission.ts'
import { append } from '../src/store/append.ts'
import { gather } from '../src/store/gather.ts'
import { openStore } from '../src/store/open.ts'
import type { ReportOrder, ReportRun } from '../src/store/reports.ts'
import type { Store } from '../src/store/store.ts'
import { hashToken } from '../src/store/tokens.ts'
import { openDatabase, openEmptyStore, runs } from './database.ts'
import { ms } from './open.ts'
import { deputyOf } from './tenants.ts'

/** A Wednesday, past midnight in Los Angeles. */
const NOW = Temporal.Instant.from('2026-03-18T10:00:00Z')

const COUNTS = ['sent', 'delivered', 'read', 'link_btn_click', 'spend'].map((name) => `marketing_messages_${name}`)
const FIELDS = `fields=${COUNTS.join(',')}`

/** Campaigns with their ad sets and ads. */
const ADS = ['31', '32', '33', '34', '35'].map((ad_id, i) => ({
  ad_id,
  ad_name: `Ad ${ad_id}`,
  adset_id: `2${Math.floor(i / 2)}`,
  adset_name: `Set ${Math.floor(i / 2)}`,
  campaign_id: `1${Math.floor(i / 3)}`,
  campaign_name: `Campaign ${Math.floor(i / 3)}`,
}))

const arbitraryFact: fc.Arbitrary<Fact> = fc
  .record({
    kind: fc.constantFrom(...FACT_KINDS.filter((kind) => kind !== 'failed')),
    at: fc.integer({ min: 0, max: 100 * 24 }).map((hours) => NOW.epochMilliseconds - hours * 3_600_000),
    ad_id: fc.constantFrom(...ADS.map(({ ad_id }) => ad_id)),
    subscriber: fc.constantFrom('ann', 'bob', 'cem', 'dan'),
    tracking_id: fc.constantFrom('t1', 't2'),
    price_micros: fc.bigInt(0n, 3_000_000n),
    country: fc.constantFrom('DE', 'JP', 'KR', 'BR', 'US', null),
    btn_name: fc.constantFrom('Buy', 'See more', null),
  })
  .map((fact) => ({
    ...fact,
    page_id: '9',
    mid: null,
    error_message: null,
    ...(fact.kind === 'clicked' ? CLICK : SEND),
  }))

const CLICK = { tracking_id: null, price_micros: null }
const SEND = { btn_name: null }

type Row = Record<string, string>
interface Answer {
  readonly data: Row[]
  readonly paging?: { readonly next?: string; readonly previous?: string }
  readonly summary?: Row
}

/** An account of random facts, asked without a socket. */
class World implements AsyncDisposable {
  readonly #database: string | undefined
  readonly #store: Store
  readonly #directory = new Directory()
  #reports = 0n

  private constructor(database: string | undefined, store: Store) {
    this.#database = database
    this.#store = store
  }

  static async open(facts: readonly Fact[], database?: string): Promise<World> {
    const world = new World(database, database === undefined ? await openEmptyStore() : await openStore(database))
    await world.#store.write(async (tables) => {
      const fields = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'America/Los_Angeles', page_ids: [] }
      const { account } = await tables.registry.addAccount(fields)
      for (const ad of ADS) await tables.registry.addAd({ ...ad, account })
      const token_hash = hashToken('token')
      await tables.tokens.add({ token_hash, permission: 'read', created_at: 0, accounts: new Set([account]) })
      const admission = new Admission()
      await admission.open(tables.registry, NOW.epochMilliseconds)
      await append(tables, admission, gather(facts))
    })
    return world
  }

  async ask(id: string, query: string): Promise<Answer> {
    return (await this.#request('GET', id, query)) as Answer
  }

  /** Asks for a report; its id, when it is completed. */
  async order(id: string, query: string): Promise<string> {
    const { report_run_id } = (await this.#request('POST', id, query)) as { report_run_id: string }
    return report_run_id
  }

  async #request(method: string, id: string, query: string): Promise<unknown> {
    const response = await answer(
      {
        method,
        path: `/v25.0/${id}/insights`,
        query: `access_token=token&${query}`,
        headers: {},
        body: undefined,
        base_url: 'http://readout',
      },
      {
        store: this.#store,
        directory: this.#directory,
        now: () => NOW,
        meta_history_limit: false,
        reporter: { order: (order) => this.#makeReport(order) },
        deputy: deputyOf(this.#store),
        newRunId: () => formatRunId(this.#reports++),
        app_secrets: [],
        require_appsecret_proof: false,
        request_limit: undefined,
        onRefusal: () => {},
        newTraceId: () => 'trace',
        onFailure: (cause) => {
          throw cause
        },
      },
    )
    assert.equal(response.status, 200, response.body)
    return JSON.parse(response.body)
  }

  /** What the reporter's thread does, on connections of the same database. */
  async #makeReport(order: ReportOrder): Promise<void> {
    await this.#store.write(({ reports }) => reports.add(order))
    const run = (await this.#store.reports.read(order.run_id)) as ReportRun
    await using reading = await openStore(this.#database ?? '')
    const now_ms = () => NOW.epochMilliseconds
    const { signal } = new AbortController()
    const job = { reading, writing: this.#store, meta_history_limit: false, now_ms, signal }
    assert.equal(await makeReport(run, job), undefined)
  }

  /** Every row, page by page. */
  async askAll(id: string, query: string): Promise<Row[]> {
    const rows: Row[] = []
    for (let next: string | undefined = `?${query}`; next !== undefined; ) {
      const page: Answer = await this.ask(id, next.slice(next.indexOf('?') + 1))
      rows.push(...page.data)
      next = page.paging?.next
    }
    return rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }
}

/** Sums the counts of rows in millionths; a missing one is money without a price, which these worlds do not have. */
function totals(rows: readonly Row[]): Record<string, bigint> {
  return Object.fromEntries(COUNTS.map((name) => [name, rows.reduce((sum, row) => sum + micros(row[name] ?? '0'), 0n)]))
}

function micros(text: string): bigint {
  const [whole = '0', decimals = ''] = text.split('.')
  return BigInt(whole) * 1_000_000n + BigInt(decimals.padEnd(6, '0'))
}

const OURS = ['', '&region_policy=all', '&dated_by=delivery', '&region_policy=all&dated_by=delivery']
const NODES = ['act_1', '10', '11', '20', '21', '31']

/** Holds a law in random worlds, on a random node, under random parameters of our own. */
function holds(law: (world: World, node: string, ours: string) => Promise<void>, numRuns = 40): Promise<void> {
  const facts = fc.array(arbitraryFact, { minLength: 1, maxLength: 40 })
  return fc.assert(
    fc.asyncProperty(facts, fc.constantFrom(...NODES), fc.constantFrom(...OURS), async (all, node, ours) => {
      await using world = await World.open(all)
      await law(world, node, ours)
    }),
    { numRuns: runs(numRuns) },
  )
}

test('a preset equals its range', async () => {
  await holds(async (world, node, ours) => {
    for (const preset of DATE_PRESETS) {
      const { data } = await world.ask(node, `${FIELDS}&date_preset=${preset}${ours}`)
      const [row] = data
      if (row === undefined) continue
      const range = JSON.stringify({ since: row.date_start, until: row.date_stop })
      assert.deepEqual((await world.ask(node, `${FIELDS}&time_range=${range}${ours}`)).data, data, preset)
    }
  }, 15)
})

test('days, weeks and months sum to the range', async () => {
  await holds(async (world, node, ours) => {
    const whole = totals((await world.ask(node, `${FIELDS}&date_preset=maximum${ours}`)).data)
    for (const increment of ['1', '7', '90', 'monthly']) {
      const rows = await world.askAll(node, `${FIELDS}&date_preset=maximum&time_increment=${increment}${ours}`)
      assert.deepEqual(totals(rows), whole, increment)
    }
  })
})

test('levels sum to the parent', async () => {
  await holds(async (world, _node, ours) => {
    const whole = totals((await world.ask('act_1', `${FIELDS}&date_preset=maximum${ours}`)).data)
    for (const level of ['account', 'campaign', 'adset', 'ad']) {
      const rows = await world.askAll('act_1', `${FIELDS},${level}_id&date_preset=maximum&level=${level}${ours}`)
      assert.deepEqual(totals(rows), whole, level)
      assert.equal(new Set(rows.map((row) => row[`${level}_id`])).size, rows.length, level)
      for (const row of rows) {
        const id = level === 'account' ? 'act_1' : (row[`${level}_id`] ?? '')
        // The range of `maximum` is that of the node asked, so the row is asked for by its own dates.
        const range = JSON.stringify({ since: row.date_start, until: row.date_stop })
        const alone = await world.ask(id, `${FIELDS},${level}_id&time_range=${range}${ours}`)
        assert.deepEqual(alone.data, [row], level)
      }
    }
  })
})

const HOURLY = 'hourly_stats_aggregated_by_advertiser_time_zone'

for (const [breakdown, value] of [
  ['country', /^(?:[A-Z]{2}|unknown)$/],
  [HOURLY, /^(\d\d):00:00 - \1:59:59$/],
] as const) {
  test(`breakdowns=${breakdown} sums to the total`, async () => {
    await holds(async (world, node, ours) => {
      const whole = totals((await world.ask(node, `${FIELDS}&date_preset=maximum${ours}`)).data)
      const rows = await world.askAll(node, `${FIELDS}&date_preset=maximum&breakdowns=${breakdown}${ours}`)
      assert.deepEqual(totals(rows), whole)
      for (const row of rows) assert.match(row[breakdown] ?? '', value)
      const days = await world.askAll(
        'act_1',
        `${FIELDS}&date_preset=maximum&breakdowns=${breakdown}&level=ad&time_increment=1${ours}`,
      )
      assert.deepEqual(totals(days), totals((await world.ask('act_1', `${FIELDS}&date_preset=maximum${ours}`)).data))
    })
  })
}

test('breakdowns=marketing_messages_btn_name sums to all clicks, and says nothing of messages', async () => {
  const clicksOf = (rows: readonly Row[]) =>
    rows.reduce((sum, row) => sum + Number(row.marketing_messages_link_btn_click), 0)
  await holds(async (world, node, ours) => {
    const whole = clicksOf((await world.ask(node, `${FIELDS}&date_preset=maximum${ours}`)).data)
    for (const cut of ['', '&level=ad&time_increment=1', '&time_increment=monthly']) {
      const asked = `${FIELDS}&date_preset=maximum&breakdowns=marketing_messages_btn_name${cut}${ours}`
      const rows = await world.askAll(node, `${asked}&default_summary=true`)
      assert.equal(clicksOf(rows), whole)
      for (const row of rows) {
        assert.deepEqual(Object.keys(row), [
          'marketing_messages_link_btn_click',
          'date_start',
          'date_stop',
          'marketing_messages_btn_name',
        ])
        assert.match(row.marketing_messages_btn_name ?? '', /^(?:Buy|See more|unknown)$/)
      }
      const { summary } = await world.ask(node, `${asked}&default_summary=true`)
      assert.equal(Number(summary?.marketing_messages_link_btn_click ?? 0), whole)
      assert.equal(summary?.marketing_messages_delivered, undefined)
    }
  })
})

test('sorting and paging see every row once, in order', async () => {
  await holds(async (world, node, ours) => {
    const cut = `${FIELDS},ad_id&date_preset=maximum&level=ad&time_increment=7${ours}`
    const rows = await world.askAll(node, cut)
    const key = (row: Row) => JSON.stringify(row)
    for (const limit of [1, 3, 25]) {
      for (const sort of ['', '&sort=marketing_messages_delivered_descending', '&sort=date_start_ascending']) {
        const paged = await world.askAll(node, `${cut}&limit=${limit}${sort}`)
        assert.deepEqual(paged.map(key).sort(), rows.map(key).sort())
        if (sort.includes('delivered')) assertOrdered(paged.map((row) => -Number(row.marketing_messages_delivered)))
        if (sort.includes('date')) assertOrdered(paged.map((row) => ms(`${row.date_start}T00:00:00Z`)))
      }
    }
  }, 15)
})

function assertOrdered(values: readonly number[]): void {
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  )
}

test('filtering leaves what it says, and the summary is the sum of what is left', async () => {
  await holds(async (world, node, ours) => {
    const cut = `${FIELDS},ad_id,campaign_id&date_preset=maximum&level=ad&limit=100${ours}`
    const all = (await world.ask(node, cut)).data
    const filters: [filter: string, keeps: (row: Row) => boolean][] = [
      ['{field:ad.id,operator:IN,value:["31","34"]}', (row) => ['31', '34'].includes(row.ad_id ?? '')],
      ['{field:campaign.name,operator:CONTAIN,value:"n 1"}', (row) => row.campaign_id === '11'],
      [
        '{field:marketing_messages_delivered,operator:GREATER_THAN,value:1}',
        (row) => Number(row.marketing_messages_delivered) > 1,
      ],
      [
        '{field:marketing_messages_spend,operator:IN_RANGE,value:[0.5,2]}',
        (row) => Number(row.marketing_messages_spend) >= 0.5 && Number(row.marketing_messages_spend) <= 2,
      ],
      ['{field:ad.effective_status,operator:IN,value:["PAUSED"]}', () => false],
    ]
    for (const [filter, keeps] of filters) {
      const { data, summary } = await world.ask(node, `${cut}&filtering=[${filter}]&default_summary=true`)
      assert.deepEqual(data, all.filter(keeps), filter)
      if (summary !== undefined) assert.deepEqual(totals([summary]), totals(data), filter)
      assert.equal(summary === undefined, data.length === 0)
    }
    const [campaign] = (
      await world.ask('act_1', `${FIELDS}&date_preset=maximum&filtering=[{field:campaign.id,operator:EQUAL,value:10}]`)
    ).data
    const alone = await world.askAll('act_1', `${FIELDS},campaign_id&date_preset=maximum&level=campaign`)
    assert.deepEqual(totals(campaign ? [campaign] : []), totals(alone.filter((row) => row.campaign_id === '10')))
  })
})

test('a report says what a GET says, page by page', async () => {
  const cuts = [
    '',
    '&level=ad&time_increment=7&limit=2',
    '&level=campaign&breakdowns=country&default_summary=true',
    '&level=ad&sort=marketing_messages_delivered_descending&summary=marketing_messages_spend',
    '&level=ad&filtering=[{field:marketing_messages_delivered,operator:GREATER_THAN,value:1}]&default_summary=true',
    '&time_ranges=[{since:2026-01-01,until:2026-02-10},{since:2026-02-01,until:2026-03-18}]',
  ]
  const facts = fc.array(arbitraryFact, { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(facts, fc.constantFrom(...NODES), fc.constantFrom(...OURS), async (all, node, ours) => {
      await using database = await openDatabase()
      await using world = await World.open(all, database.name)
      for (const cut of cuts) {
        const query = `${FIELDS},ad_id,campaign_name&date_preset=maximum${cut}${ours}`
        if (/^[23]/.test(node) && cut.includes('level=campaign')) continue
        const run = await world.order(node, query)
        const [whole, report] = [await world.ask(node, `${query}&limit=3`), await world.ask(run, 'limit=3')]
        assert.deepEqual([report.data, report.summary], [whole.data, whole.summary], query)
        assert.deepEqual(await world.askAll(run, ''), await world.askAll(node, query), query)
      }
    }),
    { numRuns: runs(12) },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import { formatDay, parseDay } from '../domain/day.ts'
import type { Fact, FactKind } from '../domain/fact.ts'
import { Admission, singleIdAd } from './admission.ts'
import { append } from './append.ts'
import { catchUp } from './catch-up.ts'
import { gather } from './gather.ts'
import { countPrunable, PRUNE_THREADS_MAX, type PrunedRows, type PruneOptions, prune } from './prune.ts'
import type { Account } from './registry.ts'
import { ACCOUNT_CELLS } from './rollup-cells.ts'
import type { Store } from './store.ts'
import { rebuild, verify } from './verify.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')
const AD = '500'
const PAGE = '9'
const BEFORE = parseDay('2026-06-01') ?? 0

/** A store with an account in New York, where a day begins at 4 or 5 in the morning of UTC. */
class Ledger implements AsyncDisposable {
  readonly store: Store
  readonly admission = new Admission()

  private constructor(store: Store) {
    this.store = store
  }

  static async open(...facts: readonly Fact[]): Promise<Ledger> {
    const ledger = new Ledger(await openEmptyStore())
    for (const [account_id, time_zone] of [
      ['1', 'America/New_York'],
      ['2', 'UTC'],
    ] as const) {
      const fields = { account_id, name: account_id, currency: 'USD', time_zone, page_ids: [PAGE] }
      await ledger.store.write(({ registry }) => registry.addAccount(fields))
    }
    await ledger.store.write(({ registry }) => registry.addAd(singleIdAd(AD, 1)))
    await ledger.append(...facts)
    return ledger
  }

  append(...facts: readonly Fact[]) {
    return this.store.write(async (tables) => {
      await this.admission.open(tables.registry, NOW_MS)
      return append(tables, this.admission, gather(facts))
    })
  }

  async prune(options: Partial<PruneOptions> = {}): Promise<PrunedRows> {
    return prune(this.store, this.admission, await this.options(options))
  }

  async options(options: Partial<PruneOptions>): Promise<PruneOptions> {
    const account = (await this.store.registry.readAccount('1')) as Account
    const quiet = { now_ms: () => NOW_MS, rest: async () => {}, onProgress: () => {} }
    return { accounts: [account], before: BEFORE, ...quiet, ...options }
  }

  /** The counters of an account's days that are not zero. */
  async counts(account = 1): Promise<string[]> {
    const cells = await this.store.rollups.readCells(account, ACCOUNT_CELLS)
    const days = [...cells.days()].flatMap(({ day, broken_down }) =>
      [...broken_down.country].map(([country, amounts]) => {
        const [sent, delivered, read, clicks, clicked] = amounts
        return `${formatDay(day)} ${country}: ${sent} ${delivered} ${read} ${clicks} ${clicked}`
      }),
    )
    const failures = [...cells.failures()].map(({ day, failed }) => `${formatDay(day)} failed: ${failed}`)
    return [...days, ...failures].sort()
  }

  async discrepancies(): Promise<number> {
    let discrepancies = 0
    await this.store.read((tables) => verify(tables, () => discrepancies++))
    return discrepancies
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
  }
}

function fact(
  kind: FactKind,
  time: string,
  { subscriber = 'ann', tracking_id = 't1', country = null as string | null } = {},
) {
  const isMessage = kind === 'sent' || kind === 'delivered' || kind === 'read'
  return {
    kind,
    at: Date.parse(time),
    ad_id: AD,
    page_id: PAGE,
    subscriber,
    tracking_id: isMessage ? tracking_id : null,
    mid: null,
    price_micros: null,
    country,
    btn_name: null,
    error_message: kind === 'failed' ? 'away' : null,
  }
}

const MARCH = [
  fact('sent', '2026-03-03T10:00:00Z', { country: 'BR' }),
  fact('read', '2026-03-04T10:00:00Z'),
  fact('clicked', '2026-03-04T10:00:05Z'),
  fact('failed', '2026-03-05T10:00:00Z'),
]

test('prune() drops closed threads and keeps their counts, which verify() and rebuild() know', async () => {
  await using ledger = await Ledger.open(...MARCH, fact('sent', '2026-07-01T10:00:00Z', { subscriber: 'bob' }))
  const before = await ledger.counts()
  assert.deepEqual(await countPrunable(ledger.store, await ledger.options({})), PRUNED)
  assert.deepEqual(await ledger.prune(), PRUNED)
  assert.deepEqual(await ledger.prune(), { threads: 0, messages: 0, clicks: 0, failures: 0 })
  assert.deepEqual(
    (await ledger.store.threads.scan({ account: 1, ad: 1 }, '', 9)).map(({ subscriber }) => subscriber),
    ['bob'],
  )
  assert.deepEqual([await ledger.counts(), await ledger.discrepancies()], [before, 0])
  await rebuild(ledger.store, ledger.admission, () => NOW_MS)
  assert.deepEqual([await ledger.counts(), await ledger.discrepancies()], [before, 0])
})

const PRUNED = { threads: 1, messages: 1, clicks: 1, failures: 1 }

test('prune() refuses what was counted, and counts what is new', async () => {
  await using ledger = await Ledger.open(...MARCH)
  await ledger.prune()
  const before = await ledger.counts()
  const refused = [
    ...MARCH,
    fact('delivered', '2026-03-03T10:00:01Z', { subscriber: 'eve' }),
    fact('read', '2026-08-01T10:00:00Z'),
    fact('sent', '2026-08-01T10:00:00Z'),
  ]
  assert.deepEqual(await ledger.append(...refused), { merged: 0, parked: 0, forgotten: 0, pruned: 7 })
  assert.deepEqual([await ledger.counts(), await ledger.discrepancies()], [before, 0])
  assert.deepEqual(await ledger.store.pruned.listFloors(), [
    { account: 1, floor_at: Date.parse('2026-06-01T04:00:00Z'), refused_facts: 7 },
  ])
  const news = [
    fact('clicked', '2026-08-02T10:00:00Z'),
    fact('failed', '2026-08-02T10:00:00Z'),
    fact('delivered', '2026-08-03T10:00:00Z', { tracking_id: 't2' }),
    fact('read', '2026-08-03T10:00:00Z', { subscriber: 'eve' }),
  ]
  assert.equal((await ledger.append(...news)).merged, 4)
  assert.deepEqual(
    (await ledger.counts()).filter((line) => !before.includes(line)),
    ['2026-08-02 failed: 1', '2026-08-02 unknown: 0 0 0 1 1', '2026-08-03 unknown: 0 2 1 0 0'],
  )
})

test('prune() counts a click on its own day, and nothing more, where its message was pruned', async () => {
  await using ledger = await Ledger.open(...MARCH)
  await ledger.prune()
  await ledger.append(fact('clicked', '2026-08-02T10:00:00Z'))
  assert.deepEqual((await ledger.counts()).at(-1), '2026-08-02 unknown: 0 0 0 1 0')
})

test("prune() takes a day to begin where the account's does", async () => {
  const last = { subscriber: 'last', tracking_id: 'last' }
  const first = { subscriber: 'first', tracking_id: 'first' }
  await using ledger = await Ledger.open(
    fact('sent', '2026-06-01T03:59:59.999Z', last),
    fact('sent', '2026-06-01T04:00:00Z', first),
  )
  assert.equal((await ledger.prune()).threads, 1)
  assert.equal((await ledger.store.threads.scan({ account: 1, ad: 1 }, '', 9))[0]?.subscriber, 'first')
  const eve = { subscriber: 'eve' }
  const appended = await ledger.append(
    fact('sent', '2026-06-01T03:59:59.999Z', eve),
    fact('sent', '2026-06-01T04:00:00Z', eve),
  )
  assert.deepEqual(appended, { merged: 1, parked: 0, forgotten: 0, pruned: 1 })
})

/** What keeps a thread: one of its times is not before the floor. */
const KEEPING: readonly FactKind[] = ['sent', 'delivered', 'read', 'clicked', 'failed']

test('prune() leaves a thread whole while one thing of it happened since', async () => {
  for (const kind of KEEPING) {
    await using ledger = await Ledger.open(...MARCH, fact(kind, '2026-06-02T10:00:00Z', { tracking_id: 't2' }))
    assert.equal((await ledger.prune()).threads, 0, kind)
    await ledger.append(fact(kind, '2026-06-02T10:00:00Z', { tracking_id: 't2' }))
    assert.equal(await ledger.discrepancies(), 0, kind)
  }
})

test('verify() and rebuild() know the counts of a hundred prunes and one more', async () => {
  await using ledger = await Ledger.open()
  const DAYS = 101
  for (let day = 0; day < DAYS; day++) {
    const time = new Date(Date.parse('2026-01-01T12:00:00Z') + day * 86_400_000).toISOString()
    await ledger.append(fact('sent', time, { subscriber: `s${day}` }))
    await ledger.prune({ before: (parseDay('2026-01-02') ?? 0) + day })
  }
  const before = await ledger.counts()
  assert.equal(before.length, DAYS)
  assert.equal(await ledger.discrepancies(), 0)
  await rebuild(ledger.store, ledger.admission, () => NOW_MS)
  assert.deepEqual(await ledger.counts(), before)
})

test('prune() of an earlier day leaves the floor where it is', async () => {
  await using ledger = await Ledger.open()
  await ledger.prune()
  const floors = () => ledger.store.pruned.listFloors()
  const [before] = await floors()
  await ledger.prune({ before: BEFORE - 31 })
  assert.deepEqual(await floors(), [before])
})

test('moveCampaign() takes the counts of pruned threads along, and refuses their facts there too', async () => {
  await using ledger = await Ledger.open(...MARCH)
  const before = await ledger.counts()
  await ledger.prune()
  await ledger.store.write(async ({ registry, rollups }) => {
    await registry.moveCampaign(AD, 2)
    for (const account of [1, 2]) await rollups.sumAccount(account)
  })
  await catchUp(ledger.store, ledger.admission, () => NOW_MS)
  assert.deepEqual([await ledger.counts(1), await ledger.counts(2), await ledger.discrepancies()], [[], before, 0])
  assert.equal((await ledger.append(fact('read', '2026-08-01T10:00:00Z'))).pruned, 1)
  await rebuild(ledger.store, ledger.admission, () => NOW_MS)
  assert.deepEqual([await ledger.counts(2), await ledger.discrepancies()], [before, 0])
})

test('prune() freezes nothing that an act has yet to change, whenever the act comes', async () => {
  const crowd = Array.from({ length: PRUNE_THREADS_MAX + 1 }, (_, i) =>
    fact('sent', '2026-03-03T02:00:00Z', { subscriber: `s${String(i).padStart(5, '0')}` }),
  )
  await using ledger = await Ledger.open(...crowd)
  const setZone = (time_zone: string) =>
    ledger.store.write(({ registry }) =>
      registry.setAccount('1', { time_zone, link_page_ids: [], unlink_page_ids: [] }),
    )
  await setZone('UTC')
  const zones = ['Asia/Kolkata', 'America/New_York']
  const rest = async () => {
    const zone = zones.pop()
    if (zone !== undefined) await setZone(zone)
  }
  assert.equal((await ledger.prune({ rest })).threads, crowd.length)
  // The first page was frozen in UTC, the rest in the zone that came last.
  assert.deepEqual(await ledger.counts(), ['2026-03-03 unknown: 1001 0 0 0 0'])
  assert.equal(await ledger.discrepancies(), 0)
  const [cell] = (await ledger.store.rollups.readCells(1, ACCOUNT_CELLS)).days()
  assert.deepEqual([...(cell?.broken_down.hour.keys() ?? [])], [2, 7])
})

test('prune() counts parked facts that were claimed before, and leaves those alone that were not', async () => {
  await using ledger = await Ledger.open()
  const ad_id = '501'
  const parked = { ...fact('sent', '2026-03-03T10:00:00Z'), ad_id }
  assert.equal((await ledger.append(parked)).parked, 1)
  await ledger.prune()
  await ledger.store.write(({ registry }) => registry.addAd(singleIdAd(ad_id, 1)))
  assert.equal((await ledger.prune()).threads, 1)
  assert.deepEqual([await ledger.counts(), await ledger.discrepancies()], [['2026-03-03 unknown: 1 0 0 0 0'], 0])
})

test('prune() that was stopped anywhere goes on, and ends as if it had not been', async () => {
  const crowd = Array.from({ length: PRUNE_THREADS_MAX * 2 + 5 }, (_, i) =>
    fact('read', '2026-03-03T02:00:00Z', { subscriber: `s${i}`, tracking_id: `t${i}` }),
  )
  for (const stop of [0, 1, 2]) {
    await using ledger = await Ledger.open(...crowd, fact('read', '2026-09-03T02:00:00Z', { subscriber: 'zoe' }))
    const before = await ledger.counts()
    let pages = 0
    const rest = async () => {
      if (pages++ === stop) throw new Error('stopped')
    }
    await assert.rejects(ledger.prune({ rest }), /stopped/)
    assert.deepEqual([await ledger.counts(), await ledger.discrepancies()], [before, 0])
    const left = crowd.length - (stop + 1) * PRUNE_THREADS_MAX
    assert.equal((await ledger.prune()).threads, Math.max(0, left))
    assert.equal((await ledger.append(...crowd)).pruned, crowd.length)
    assert.deepEqual([await ledger.counts(), await ledger.discrepancies()], [before, 0])
  }
})

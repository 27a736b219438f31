import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { ON_POSTGRES, openDatabase } from '../../../test/database.ts'
import { countFailuresNaively, countNaively, type ModelWorld } from '../../../test/model.ts'
import { countLines, readRollupLines } from '../../../test/rollup-lines.ts'
import { DAY_MS, dayOf } from '../../domain/day.ts'
import type { Fact } from '../../domain/fact.ts'
import { Admission, singleIdAd } from '../admission.ts'
import { append } from '../append.ts'
import { catchUp, catchUpStep } from '../catch-up.ts'
import { forget } from '../forget.ts'
import { openStore } from '../open.ts'
import { prune } from '../prune.ts'
import type { Account } from '../registry.ts'
import type { Store, Tables } from '../store.ts'
import { type Discrepancy, verify } from '../verify.ts'

/** Where the first of two servers waits: its batch has read the registry's version, or the transaction is about to commit. */
type Spot = 'begun' | 'commit'

/** What a server does, as its threads and an administrator's commands do. */
type Doing = (server: Server) => Promise<unknown>

interface Server {
  readonly store: Store
  readonly admission: Admission
  /** Called within a batch that has begun. */
  readonly begun: () => Promise<void>
}

/** Two servers that do something at once, and what is counted when both have done it. */
interface Meeting {
  readonly name: string
  readonly before: readonly Doing[]
  readonly first: Doing
  readonly spot: Spot
  /** Which of the first one's commits it is that waits. */
  readonly commit?: number
  /** What the second has done before, so that it remembers something. */
  readonly known?: Doing
  readonly second: Doing
  readonly after?: Doing
  readonly counted: readonly Fact[]
  readonly world?: Partial<ModelWorld>
  /** Of whom no row is left. */
  readonly forgotten?: string
}

/** Where PostgreSQL is many servers, a wait may be another's than the one that is asked; by then the second has come to it. */
const WAITING_MS_MAX = 5000

const NOW = Date.parse('2026-11-20T12:00:00Z')
const OLD = NOW - 9 * DAY_MS
const FLOOR = dayOf(Temporal.PlainDate.from('2026-11-15'))
/** `101` is linked to both accounts, so that its ads can be moved, and others of them wait to be claimed; `104` to one. */
const ACCOUNTS: Record<string, string[]> = { '1': ['101', '104'], '2': ['101'] }

const message = { page_id: '101', ad_id: '11', subscriber: 'ann', tracking_id: 'm1', at: NOW - DAY_MS }

function fact(kind: Fact['kind'], differing: Partial<Fact> = {}): Fact {
  const nothing = { mid: null, price_micros: null, country: null, btn_name: null, error_message: null }
  const tracking_id = kind === 'clicked' ? null : message.tracking_id
  return { ...nothing, ...message, kind, tracking_id, ...differing }
}

const SENT = fact('sent')
const DELIVERED = fact('delivered', { at: SENT.at + 60_000 })
const CLICKED = fact('clicked', { at: SENT.at + 7_200_000 })

/** Of ads that register themselves. */
const UNKNOWN = fact('sent', { ad_id: '77', page_id: '104' })
const ALSO_UNKNOWN = fact('sent', { ad_id: '78', page_id: '104' })

/** After this one, nobody has to note the page of the others. */
const BOB = fact('sent', { subscriber: 'bob' })

/** A model of two accounts, in the first of which all ads are. */
const WORLD: ModelWorld = {
  accountOf: () => '1',
  timeZoneOf: () => 'UTC',
  listedCountry: () => undefined,
  ratesOf: () => [],
}

function take(...facts: readonly Fact[]): Doing {
  return ({ store, admission, begun }) =>
    store.write(async (tables) => {
      await admission.open(tables.registry, NOW)
      await begun()
      await append(tables, admission, facts)
      await tables.arrivals.notePageEvents(facts, NOW)
    }, 'shared')
}

/** One batch that has got as far as its first fact when it says that it has begun. */
function takeInTurn(first: Fact, others: readonly Fact[]): Doing {
  return ({ store, admission, begun }) =>
    store.write(async (tables) => {
      await admission.open(tables.registry, NOW)
      await append(tables, admission, [first])
      await begun()
      await append(tables, admission, others)
    }, 'shared')
}

function alone(work: (tables: Tables, first: Account, second: Account) => Promise<unknown>): Doing {
  return ({ store }) =>
    store.write(async (tables) => {
      const [first, second] = (await tables.registry.listAccounts()) as [Account, Account]
      await work(tables, first, second)
    })
}

const catchUpAll: Doing = ({ store, admission }) => catchUp(store, admission, () => NOW)

const pruneAll: Doing = async ({ store, admission }) => {
  const accounts = await store.registry.listAccounts()
  const nothing = { rest: async () => {}, onProgress: () => {} }
  await prune(store, admission, { accounts, before: FLOOR, now_ms: () => NOW, ...nothing })
}

/** The page of the first ad, after one commit of each kind of catching up, and of the floor. */
const FIRST_PAGE = 4

const claim = alone(({ registry }, { account }) => registry.addAd(singleIdAd('31', account)))

const move = alone(async ({ registry, rollups }, from, to) => {
  await registry.moveCampaign('11', to.account)
  for (const { account } of [from, to]) await rollups.sumAccount(account)
})

const setZone = alone(({ registry }) =>
  registry.setAccount('1', { time_zone: 'Asia/Kolkata', link_page_ids: [], unlink_page_ids: [] }),
)

/** What an administrator does while a batch is under way, or the other way round. */
const ACTS: readonly {
  readonly name: string
  readonly act: Doing
  readonly before: readonly Fact[]
  readonly batch: readonly Fact[]
  readonly commit?: number
  /** Whether the batch is refused after the act. */
  readonly isRefused?: boolean
  readonly world?: Partial<ModelWorld>
  readonly forgotten?: string
}[] = [
  {
    name: 'another time zone',
    act: setZone,
    before: [SENT],
    batch: [DELIVERED],
    world: { timeZoneOf: () => 'Asia/Kolkata' },
  },
  {
    name: 'another rate',
    act: alone(({ registry }, { account }) =>
      registry.writeRates(account, [{ country: '*', valid_from: 18_000, price_micros: 7n }]),
    ),
    before: [SENT],
    batch: [DELIVERED],
    world: { ratesOf: () => [{ country: '*', valid_from: '2019-04-14', price_micros: 7n }] },
  },
  {
    name: 'a country',
    act: alone(async ({ registry }) => {
      await registry.writeCountries(new Map([['ann', 'JP']]))
      await registry.resolveAll()
    }),
    before: [SENT],
    batch: [DELIVERED],
    world: { listedCountry: () => 'JP' },
  },
  {
    name: 'a move to another account',
    act: move,
    before: [SENT],
    batch: [DELIVERED],
    world: { accountOf: () => '2' },
  },
  {
    name: 'a claim',
    act: claim,
    before: [fact('sent', { ad_id: '31', page_id: '101' })],
    batch: [fact('delivered', { ad_id: '31', page_id: '101' })],
  },
  {
    name: 'a prune',
    act: pruneAll,
    before: [fact('sent', { at: OLD })],
    batch: [fact('sent', { at: OLD })],
    commit: FIRST_PAGE,
  },
  {
    name: 'a wish to be forgotten',
    act: ({ store }) => forget(store, 'ann', 'nobody', NOW),
    before: [SENT],
    batch: [DELIVERED],
    isRefused: true,
    forgotten: 'ann',
  },
]

const MEETINGS: readonly Meeting[] = [
  ...(['begun', 'commit'] as const).flatMap((spot): Meeting[] => [
    {
      name: 'two batches of one message',
      before: [take(BOB)],
      first: take(SENT),
      spot,
      second: take(DELIVERED),
      counted: [BOB, SENT, DELIVERED],
    },
    {
      name: 'two batches of the same fact',
      before: [take(BOB)],
      first: take(SENT),
      spot,
      second: take(SENT),
      counted: [BOB, SENT],
    },
    {
      name: 'two batches of the same fact of an ad that nobody knows',
      before: [],
      first: take(UNKNOWN),
      spot,
      second: take(UNKNOWN),
      counted: [UNKNOWN],
    },
    {
      name: 'a click, and the message that it is credited to',
      before: [take(SENT)],
      first: take(CLICKED),
      spot,
      second: take(fact('sent', { tracking_id: 'm2', at: CLICKED.at - 1000 })),
      counted: [SENT, CLICKED, fact('sent', { tracking_id: 'm2', at: CLICKED.at - 1000 })],
    },
    {
      name: 'a batch, and catching up with its ad',
      before: [take(SENT), setZone],
      first: take(DELIVERED),
      spot,
      second: catchUpAll,
      counted: [SENT, DELIVERED],
      world: { timeZoneOf: () => 'Asia/Kolkata' },
    },
    {
      name: 'a fact that is parked, and an ad that registers itself',
      before: [],
      first: take(fact('sent', { ad_id: '31', page_id: '101' })),
      spot,
      second: async (server) => {
        await take(fact('delivered', { ad_id: '31', page_id: '104' }))(server)
        await catchUpAll(server)
      },
      counted: [fact('sent', { ad_id: '31' }), fact('delivered', { ad_id: '31' })],
    },
  ]),
  {
    name: 'two batches that register the same ads, each in its own order',
    before: [],
    first: takeInTurn(UNKNOWN, [ALSO_UNKNOWN]),
    spot: 'begun',
    second: take(ALSO_UNKNOWN, UNKNOWN),
    counted: [UNKNOWN, ALSO_UNKNOWN],
  },
  {
    name: 'catching up with an ad, and a batch of it',
    before: [take(SENT), setZone],
    first: ({ store, admission }) => catchUpStep(store, admission, NOW),
    spot: 'commit',
    second: take(DELIVERED),
    after: catchUpAll,
    counted: [SENT, DELIVERED],
    world: { timeZoneOf: () => 'Asia/Kolkata' },
  },
  {
    name: 'two that catch up with the same ads',
    before: [take(SENT, fact('sent', { ad_id: '12' })), setZone],
    first: catchUpAll,
    spot: 'commit',
    second: catchUpAll,
    counted: [SENT, fact('sent', { ad_id: '12' })],
    world: { timeZoneOf: () => 'Asia/Kolkata' },
  },
  {
    name: 'two that take the same parked facts',
    before: [take(fact('sent', { ad_id: '31', page_id: '101' })), claim],
    first: catchUpAll,
    spot: 'commit',
    commit: 2,
    second: catchUpAll,
    counted: [fact('sent', { ad_id: '31' })],
  },
  {
    name: 'a page that is pruned, and news of one of its threads',
    before: [take(fact('sent', { at: OLD }))],
    first: pruneAll,
    spot: 'commit',
    commit: FIRST_PAGE,
    second: take(CLICKED),
    // What is pruned takes no clicks any more, and is told apart from what comes as if it was another's.
    counted: [fact('sent', { at: OLD }), { ...CLICKED, subscriber: 'ann, later' }],
  },
  {
    name: 'two that prune the same ads',
    before: [take(fact('sent', { at: OLD }))],
    first: pruneAll,
    spot: 'commit',
    commit: FIRST_PAGE,
    second: pruneAll,
    counted: [fact('sent', { at: OLD })],
  },
  ...ACTS.flatMap(({ name, act, before, batch, commit = 1, isRefused = false, ...expected }): Meeting[] => [
    ...(['begun', 'commit'] as const).map((spot) => ({
      name: `a batch, and ${name}`,
      before: [take(...before)],
      first: take(...batch),
      spot,
      second: async (server: Server) => {
        await act(server)
        await catchUpAll(server)
      },
      counted: [...before, ...batch],
      ...expected,
    })),
    {
      name: `${name}, and a batch`,
      before: [take(...before)],
      first: act,
      spot: 'commit',
      commit,
      known: take(...before),
      second: take(...batch),
      after: catchUpAll,
      counted: isRefused ? before : [...before, ...batch],
      ...expected,
    },
  ]),
]

/** The same store, one of whose transactions waits before it commits. */
function pausing(store: Store, commit: number, pause: () => Promise<void>): Store {
  let left = commit
  const write: Store['write'] = (work, company) =>
    store.write(async (tables) => {
      const result = await work(tables)
      if (--left === 0) await pause()
      return result
    }, company)
  return new Proxy(store, {
    get: (_, name) => {
      const member = Reflect.get(store, name, store)
      if (name === 'write') return write
      return typeof member === 'function' ? member.bind(store) : member
    },
  })
}

/** A place that is reached, and left when it is said so. */
class Stop {
  readonly #reached = Promise.withResolvers<void>()
  readonly #left = Promise.withResolvers<void>()
  readonly reached = this.#reached.promise

  pause = () => {
    this.#reached.resolve()
    return this.#left.promise
  }

  leave(): void {
    this.#left.resolve()
  }
}

/** A database with two accounts and the ads 11 and 12, and servers on it. */
class Place implements AsyncDisposable {
  readonly #parts = new AsyncDisposableStack()
  #database = ''
  #watching!: pg.Client

  static async open(): Promise<Place> {
    const place = new Place()
    place.#database = place.#parts.use(await openDatabase()).name
    const store = await place.openStore('first')
    await store.write(async ({ registry }) => {
      for (const [account_id, page_ids] of Object.entries(ACCOUNTS)) {
        await registry.addAccount({ account_id, name: account_id, currency: 'USD', time_zone: 'UTC', page_ids })
      }
      const account = (await registry.readAccount('1'))?.account ?? -1
      for (const ad_id of ['11', '12']) await registry.addAd(singleIdAd(ad_id, account))
    })
    place.#watching = new pg.Client({ connectionString: place.#database })
    place.#parts.defer(() => place.#watching.end())
    await place.#watching.connect()
    return place
  }

  /** A store whose connections bear a name. */
  async openStore(name: string): Promise<Store> {
    const url = new URL(this.#database)
    url.searchParams.set('application_name', this.#named(name))
    return this.#parts.use(await openStore(url.href))
  }

  /** Until a connection of this name waits for what another transaction holds, as far as can be seen. */
  async untilWaiting(name: string, signal: AbortSignal): Promise<void> {
    const query = "SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'"
    const isWaiting = async () => (await this.#watching.query(query, [this.#named(name)])).rowCount !== 0
    const late_ms = performance.now() + WAITING_MS_MAX
    while (!signal.aborted && performance.now() < late_ms && !(await isWaiting())) await wait(5)
  }

  #named(name: string): string {
    return `${name} of ${/readout_test_\w+/.exec(this.#database)?.[0]}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync()
  }
}

/**
 * Lets the first go to where it stops, and the second as far as it can beside it: to its end, or to where it waits for the first.
 * Then both go to their end. Rejects as they do.
 */
async function meet(place: Place, meeting: Meeting): Promise<void> {
  const { before, first, spot, commit = 1, known, second } = meeting
  const stop = new Stop()
  const nothing = async () => {}
  const [one, other] = [await place.openStore('one'), await place.openStore('other')]
  const [admission, others] = [new Admission(), new Admission()]
  for (const act of before) await act({ store: one, admission, begun: nothing })
  await known?.({ store: other, admission: others, begun: nothing })
  const store = spot === 'commit' ? pausing(one, commit, stop.pause) : one
  const leading = first({ store, admission, begun: spot === 'begun' ? stop.pause : nothing })
  await Promise.race([stop.reached, leading])
  const over = new AbortController()
  const following = second({ store: other, admission: others, begun: nothing })
  await Promise.race([following, place.untilWaiting('other', over.signal)]).finally(() => {
    over.abort()
    stop.leave()
  })
  await Promise.all([leading, following])
}

for (const meeting of MEETINGS) {
  const { name, spot, after, counted, forgotten } = meeting
  test(
    `servers meet: ${name}, where the first ${spot === 'begun' ? 'has begun' : 'is about to commit'}`,
    ON_POSTGRES,
    async () => {
      await using place = await Place.open()
      await meet(place, meeting)
      const store = await place.openStore('last')
      await after?.({ store, admission: new Admission(), begun: async () => {} })
      const discrepancies: Discrepancy[] = []
      await store.read((tables) => verify(tables, (one) => discrepancies.push(one)))
      assert.deepEqual(discrepancies, [])
      const world = { ...WORLD, ...meeting.world }
      const lines = countLines(countNaively(counted, world), countFailuresNaively(counted, world))
      assert.deepEqual(await readRollupLines(store), lines)
      assert.deepEqual(await store.setAside.listParked(), [])
      if (forgotten === undefined) return
      for (const { account, ad } of await store.registry.listAds()) {
        const [thread] = await store.threads.read([{ account, ad, subscriber: forgotten }])
        assert.deepEqual(thread?.facts.messages, [])
      }
    },
  )
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ON_POSTGRES } from '../../../test/database.ts'
import { type Doing, type Met, meet, Place, type Server } from '../../../test/meeting.ts'
import { countFailuresNaively, countNaively, type ModelWorld } from '../../../test/model.ts'
import { countLines, readRollupLines } from '../../../test/rollup-lines.ts'
import { DAY_MS, dayOf } from '../../domain/day.ts'
import type { Fact } from '../../domain/fact.ts'
import { Admission, singleIdAd } from '../admission.ts'
import { append } from '../append.ts'
import { catchUp, catchUpStep } from '../catch-up.ts'
import { forget } from '../forget.ts'
import { gather } from '../gather.ts'
import { prune } from '../prune.ts'
import type { Account } from '../registry.ts'
import type { Tables } from '../store.ts'
import { type Discrepancy, verify } from '../verify.ts'

/** A meeting, and what is counted when both have done what they do. */
interface Meeting extends Met {
  readonly name: string
  readonly counted: readonly Fact[]
  readonly world?: Partial<ModelWorld>
  /** Of whom no row is left. */
  readonly forgotten?: string
}

const NOW = Date.parse('2026-11-20T12:00:00Z')
const OLD = NOW - 9 * DAY_MS
const FLOOR = dayOf(Temporal.PlainDate.from('2026-11-15'))
const message = { page_id: '101', ad_id: '11', subscriber: 'ann', tracking_id: 'm1', at: NOW - DAY_MS }

function fact(kind: Fact['kind'], differing: Partial<Fact> = {}): Fact {
  const nothing = { mid: null, price_micros: null, country: null, btn_name: null, error_message: null }
  const tracking_id = kind === 'clicked' ? null : message.tracking_id
  return { ...nothing, ...message, kind, tracking_id, ...differing }
}

const SENT = fact('sent')
const DELIVERED = fact('delivered', { at: SENT.at + 60_000 })
const CLICKED = fact('clicked', { at: SENT.at + 7_200_000 })

const OF_12 = fact('sent', { ad_id: '12' })

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
      await append(tables, admission, gather(facts))
      await tables.arrivals.notePageEvents(facts, NOW)
    }, 'shared')
}

/** One batch that has got as far as its first fact when it says that it has begun. */
function takeInTurn(first: Fact, others: readonly Fact[]): Doing {
  return ({ store, admission, begun }) =>
    store.write(async (tables) => {
      await admission.open(tables.registry, NOW)
      await append(tables, admission, gather([first]))
      await begun()
      await append(tables, admission, gather(others))
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
    name: 'two batches that note the page of the same ads, each in its own order',
    before: [],
    first: takeInTurn(SENT, [OF_12]),
    spot: 'begun',
    second: take(OF_12, SENT),
    counted: [SENT, OF_12],
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
    before: [take(SENT, OF_12), setZone],
    first: catchUpAll,
    spot: 'commit',
    second: catchUpAll,
    counted: [SENT, OF_12],
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

import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { Admission, singleIdAd } from '../src/store/admission.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import { openDatabase } from './database.ts'

/** Where the first of two servers waits: its batch has read the registry's version, or the transaction is about to commit. */
export type Spot = 'begun' | 'commit'

/** What a server does, as its threads and an administrator's commands do. */
export type Doing = (server: Server) => Promise<unknown>

export interface Server {
  readonly store: Store
  readonly admission: Admission
  /** Called within a batch that has begun. */
  readonly begun: () => Promise<void>
}

/** Two servers that do something at once. */
export interface Met {
  readonly before: readonly Doing[]
  readonly first: Doing
  readonly spot: Spot
  /** Which of the first one's commits it is that waits. */
  readonly commit?: number
  /** What the second has done before, so that it remembers something. */
  readonly known?: Doing
  readonly second: Doing
  readonly after?: Doing
}

/** Where PostgreSQL is many servers, a wait may be another's than the one that is asked; by then the second has come to it. */
const WAITING_MS_MAX = 5000

/** `101` is linked to both accounts, so that its ads can be moved, and others of them wait to be claimed; `104` to one. */
const ACCOUNTS: Record<string, string[]> = { '1': ['101', '104'], '2': ['101'] }

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
export class Place implements AsyncDisposable {
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
export async function meet(place: Place, meeting: Met): Promise<void> {
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

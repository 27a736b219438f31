import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { CATCH_UP_EVERY_MS } from '../src/ingest/committer.ts'
import { openStore } from '../src/store/open.ts'
import { StoreUnavailableError } from '../src/store/store.ts'
import { verify } from '../src/store/verify.ts'
import { ABSENCES, connectTo, hang, stop } from './absence.ts'
import { Cluster } from './contract/cluster.ts'
import { Schemas } from './contract/schemas.ts'
import { Middleman } from './middleman.ts'
import { envelope, ms, TestServer } from './open.ts'

let cluster: Cluster
let schemas: Schemas

before(async () => {
  cluster = await Cluster.start('a password')
  schemas = new Schemas(cluster.url, 'away')
})

after(async () => {
  await schemas[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

/** How long one waits for the answer to a statement in these tests, by the database's URL. */
const ANSWER_MS_MAX = 1500

/** Far longer than a server needs that waits for no answer. */
const ENDING_MS_MAX = 30_000

for (const { name, begin } of ABSENCES) {
  test(`a server whose database ${name} says so, heals by itself, and counts everything once`, async () => {
    await using served = await Served.open(cluster.url)
    const { server } = served
    await served.deliver(20)
    const delivering = served.deliver(200)
    const end = await begin(cluster)
    try {
      // Of a database that hangs, the next connection works again: whoever came first was refused, and that may be another.
      await until(
        async () =>
          (await served.post(read(10_000))).status === 503 || (name === 'hangs' && served.refusals.length > 0),
      )
      assert.ok(served.refusals.every(({ headers }) => headers.get('retry-after') === '5'))
      if (name !== 'hangs') assert.equal((await served.post(read(10_001))).status, 503)
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
    } finally {
      // Also where something of it is not so: the other tests have the same database.
      await end()
    }
    await delivering
    await until(async () => (await fetch(`${server.url}/readyz`)).status === 200)
    assert.equal(await (await fetch(`${server.url}/healthz`)).text(), 'ok')
    await served.again([10_000, 10_001])
    assert.deepEqual(await served.counts(), { read: String(222), discrepancies: 0 })
  })
}

test('a database that has no place for every text is refused', async () => {
  const client = await connectTo(cluster.url)
  await client.query("CREATE DATABASE narrow_texts ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
  await client.end()
  const url = new URL(cluster.url)
  url.pathname = '/narrow_texts'
  await assert.rejects(openStore(url.href), /its encoding is LATIN1, .*; make one with: createdb -E UTF8/)
})

test('answers and health tell of a database that is away', async () => {
  await using served = await Served.open(cluster.url)
  const { server } = served
  await served.deliver(1)
  const end = await stop(cluster, 'fast')
  const response = await fetch(`${server.url}/v25.0/500/insights?access_token=token1`)
  const { error } = (await response.json()) as { error: Record<string, unknown> }
  assert.deepEqual([response.status, error.code, error.message], [503, 2, 'Service temporarily unavailable'])
  const [alive, ready] = [await fetch(`${server.url}/healthz`), await fetch(`${server.url}/readyz`)]
  assert.deepEqual([alive.status, ready.status], [200, 503])
  assert.deepEqual([await alive.text(), await ready.text()], ['the database is away', 'the database is away'])
  // What cannot be caught up on meanwhile is no webhook that has to come again.
  await wait(CATCH_UP_EVERY_MS + 500)
  assert.match(await (await fetch(`${server.url}/metrics`)).text(), /^readout_commit_failures_total 0$/m)
  await end()
})

test('connections that are ended one after another lose nothing, and end no server', async () => {
  await using served = await Served.open(cluster.url)
  const delivering = served.deliver(300)
  const client = await connectTo(cluster.url)
  for (let i = 0; i < 20; i++) {
    await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'readout'")
    await wait(50)
  }
  await client.end()
  await delivering
  assert.deepEqual(await served.counts(), { read: '300', discrepancies: 0 })
})

test('a transaction that has the database to itself waits for one that hangs no longer than another', async () => {
  await using schema = await schemas.make()
  const database = new URL(schema.name)
  database.searchParams.set('query_timeout', String(ANSWER_MS_MAX))
  await using store = await openStore(database.href)
  const begun_at = performance.now()
  for (const company of ['alone', 'shared'] as const) {
    await using parts = new AsyncDisposableStack()
    const writing = store.write(async ({ registry }) => {
      parts.defer(await hang(cluster))
      await registry.listCampaigns()
    }, company)
    await assert.rejects(writing, StoreUnavailableError)
  }
  assert.ok(performance.now() - begun_at < 2 * ANSWER_MS_MAX + 5000)
})

test('a server whose threads get no connection at their start says so, and heals by itself', async () => {
  const client = await connectTo(cluster.url)
  await using schema = await schemas.make()
  const database = new URL(schema.name)
  const name = /search_path=(\w+)/.exec(database.search.replace('%3D', '='))?.[1]
  database.username = 'narrow'
  await client.query(
    `CREATE ROLE narrow LOGIN PASSWORD 'a password' CONNECTION LIMIT 1; ALTER SCHEMA ${name} OWNER TO narrow`,
  )
  await using server = await TestServer.open({ database: database.href })
  await server.addAccount('1', { page_ids: ['9'] })
  assert.equal((await server.post(read(1))).status, 503)
  await client.query('ALTER ROLE narrow CONNECTION LIMIT -1')
  await until(async () => (await server.post(read(1))).status === 200)
  await client.end()
})

test('a server whose database hangs ends when it is told to', async () => {
  await using schema = await schemas.make()
  const database = new URL(schema.name)
  database.searchParams.set('query_timeout', String(ANSWER_MS_MAX))
  const server = await TestServer.open({ database: database.href })
  await server.addAccount('1', { page_ids: ['9'] })
  assert.equal((await server.post(read(1))).status, 200)
  const end = await hang(cluster)
  const ended = server[Symbol.asyncDispose]().then(() => 'it has ended')
  try {
    assert.equal(await Promise.race([ended, wait(ENDING_MS_MAX, 'it has not', { ref: false })]), 'it has ended')
  } finally {
    // Also where it has not: the other tests have the same database.
    await end()
  }
})

test('a server that starts while its database is away waits for it', async () => {
  await using schema = await schemas.make()
  const end = await stop(cluster, 'fast')
  const opening = TestServer.open({ database: schema.name })
  assert.equal(await Promise.race([opening, wait(1500, 'it waits')]), 'it waits')
  await end()
  await using server = await opening
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
})

test('a webhook whose commit was not answered is answered 503, and is there once when it has come again', async () => {
  await using proxy = await Middleman.open(cluster.url)
  await using served = await Served.open(proxy.url)
  proxy.isSwallowing = true
  assert.equal((await served.post(read(0))).status, 503)
  assert.equal(proxy.swallowed, 1)
  const { read: committed } = await served.counts()
  assert.equal((await served.post(read(0))).status, 200)
  assert.deepEqual([committed, await served.counts()], ['1', { read: '1', discrepancies: 0 }])
})

/** A server with an account, on a schema of its own. */
class Served implements AsyncDisposable {
  /** What was answered 503, of all that was posted. */
  readonly refusals: Response[] = []
  readonly server: TestServer
  readonly #parts: AsyncDisposableStack

  private constructor(server: TestServer, parts: AsyncDisposableStack) {
    this.server = server
    this.#parts = parts
  }

  static async open(url: string): Promise<Served> {
    await using parts = new AsyncDisposableStack()
    const schema = parts.use(await schemas.make())
    const through = new URL(schema.name)
    through.port = new URL(url).port
    through.searchParams.set('query_timeout', String(ANSWER_MS_MAX))
    const server = parts.use(await TestServer.open({ database: through.href }))
    await server.addAccount('1', { page_ids: ['9'] })
    return new Served(server, parts.move())
  }

  #sent = 0

  async post(webhook: unknown): Promise<Response> {
    const response = await this.server.post(webhook)
    if (response.status === 503) this.refusals.push(response)
    return response
  }

  /** Sends webhooks of people who never wrote before, each until it is answered 200, as Meta does. */
  async deliver(webhooks: number): Promise<void> {
    const people = Array.from({ length: webhooks }, () => this.#sent++)
    await this.again(people)
  }

  async again(people: readonly number[]): Promise<void> {
    await Promise.all(
      people.map(async (person) => {
        await wait((person % 100) * 10)
        await until(async () => (await this.post(read(person))).status === 200)
      }),
    )
  }

  async counts(): Promise<{ read: string | undefined; discrepancies: number }> {
    const row = await this.server.row('500', 'fields=marketing_messages_read&date_preset=maximum', '1')
    let discrepancies = 0
    await this.server.store.read((tables) => verify(tables, () => discrepancies++))
    return { read: row?.marketing_messages_read, discrepancies }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync()
  }
}

function read(person: number): unknown {
  return envelope('9', {
    field: 'marketing_message_reads',
    message_id: '500',
    timestamp: ms('2026-11-20T09:00:00Z'),
    marketing_message_tracking_id: `t${person}`,
    messenger_subscription_token: `A1B2C3D4E5F6G7H8I9J0 ${person}`,
  })
}

/** Long enough for a database to stop, start and recover on a slow machine. */
const HEALING_MS_MAX = 120_000

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(HEALING_MS_MAX)
  while (!(await isSo())) await wait(100, undefined, { signal: deadline })
}

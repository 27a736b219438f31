import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { confirmHashKey } from '../src/ingest/pseudonym.ts'
import { type FromWriter, writerWorkers } from '../src/ingest/writer.ts'
import { openStore } from '../src/store/open.ts'
import { ON_POSTGRES, openDatabase } from './database.ts'
import { meet, Place, type Server } from './meeting.ts'
import { HASH_KEY, type Json, NOW, TestServer } from './open.ts'

/** Longer than it takes a server to look again for reports that nobody makes. */
const LATER = Temporal.Duration.from({ minutes: 1 })

const RUN_ID = '900000000000000009'
const UNFINISHED: readonly string[] = ['Job Not Started', 'Job Running']

test('confirmHashKey() lets one key in of servers that open a new database at once', ON_POSTGRES, async () => {
  await using place = await Place.open()
  const confirming = (key: Uint8Array) => (server: Server) => confirmHashKey(server.store, key)
  const meeting = { before: [], first: confirming(HASH_KEY), second: confirming(new Uint8Array(32).fill(8)) }
  await assert.rejects(meet(place, { ...meeting, spot: 'commit' }), /cannot use this hash key/)
})

test('a report is left to the server that makes it, and made by another when that is gone', ON_POSTGRES, async () => {
  await using server = await TestServer.open()
  await server.addAccount('1')
  await using store = await openStore(server.database)
  const { account = -1 } = (await store.registry.readAccount('1')) ?? {}
  const created_at = NOW.epochMilliseconds
  const order = { run_id: RUN_ID, account, node_id: 'act_1', parameters: {}, days: undefined, created_at }
  const run = await store.write(async ({ reports }) => {
    await reports.add(order)
    return reports.read(RUN_ID)
  })
  await using other = new AsyncDisposableStack()
  other.use(await store.claimReport(run?.run ?? -1))
  server.now = NOW.add(LATER)
  // What is made later than a report that has waited longer.
  const { report_run_id } = await server.graph('act_1/insights', { method: 'POST' })
  await untilCompleted(server, String(report_run_id))
  assert.equal((await readRun(server, RUN_ID)).async_status, 'Job Not Started')
  await other.disposeAsync()
  server.now = NOW.add(LATER).add(LATER)
  await untilCompleted(server, RUN_ID)
})

test(
  'a writer that is closed while it looks what is to be caught up with says nothing of it',
  ON_POSTGRES,
  async () => {
    await using database = await openDatabase()
    await using store = await openStore(database.name)
    const version = await store.registry.readVersion()
    const holder = new pg.Client({ connectionString: database.name })
    await using _held = { [Symbol.asyncDispose]: () => holder.end() }
    await holder.connect()
    const told: FromWriter[] = []
    const opened = Promise.withResolvers<void>()
    const onMessage = (message: FromWriter) => {
      told.push(message)
      opened.resolve()
    }
    const options = { database: database.name, hash_key: HASH_KEY, started_at: NOW.epochMilliseconds }
    const onDeath = (cause: Error) => assert.fail(cause)
    const thread = writerWorkers(options)({ onMessage, onDeath })
    const body = new TextEncoder().encode('{"object":"page","entry":[]}')
    thread.post({ pieces: [body], lengths: [body.length], received_at: NOW.epochMilliseconds })
    await opened.promise
    // Whoever reads the version waits for us from now on; an act has raised it, so that the thread looks again.
    await holder.query(
      `BEGIN; LOCK TABLE setting; UPDATE setting SET value = '${version + 1}' WHERE name = 'registry_version'`,
    )
    while ((await holder.query(WAITING)).rowCount === 0) await wait(5)
    const closed = thread[Symbol.asyncDispose]()
    await holder.query('COMMIT')
    await closed
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['taken'],
    )
  },
)

/** Those who wait for the table. */
const WAITING = "SELECT FROM pg_locks WHERE relation = 'setting'::regclass AND NOT granted"

function readRun(server: TestServer, run_id: string): Promise<Json> {
  return server.graph(`${run_id}?fields=async_status`)
}

async function untilCompleted(server: TestServer, run_id: string): Promise<void> {
  for (;;) {
    const run = await readRun(server, run_id)
    if (run.async_status === 'Job Completed') return
    assert.ok(UNFINISHED.includes(String(run.async_status)), JSON.stringify(run))
    await wait(20)
  }
}

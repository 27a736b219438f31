import { pino } from 'pino'
import { importFacts } from '../src/ingest/import.ts'
import { SHARED_BATCH_BYTES } from '../src/ingest/import-file.ts'
import { ImportParser } from '../src/ingest/import-parser.ts'
import { openServer } from '../src/server.ts'
import { Admission } from '../src/store/admission.ts'
import { openStore } from '../src/store/open.ts'
import type { Bench } from './bench.ts'
import { addAccount, type ImportFile, writeImportFile } from './import.ts'
import { insightsPath } from './insights.ts'
import { ACCOUNTS, adsOfAccount, importEvents } from './load.ts'
import { medianOf, repeat } from './median.ts'
import { HASH_KEY } from './node-process.ts'
import { headersOf } from './questions.ts'
import { recordStatements, replayStatements, type Sent } from './replay.ts'
import { rate } from './webhooks.ts'
import type { WrkRun } from './wrk.ts'

/** The part of the speed of its own statements that Readout keeps. */
const RATIO_TO_REACH = 0.7

const BARE_PG = 'the same statements, bare pg'

/** Facts of which the statements fit in memory, and beside which the start of the thread that parses is little. */
const RECORDED_FACTS = 200_000

/** Answers whose statements are recorded, and how many are asked for at once, as the load asks. */
const RECORDED_ANSWERS = 2048
const ASKED_AT_ONCE = 32

/** Measures an import within this process beside its own statements, sent again into a database like the first. */
export async function measureWriteStatements(bench: Bench): Promise<void> {
  const plan = { ...bench.plan, import_facts: Math.min(RECORDED_FACTS, bench.plan.import_facts) }
  const written = writeImportFile(bench, importEvents(plan, bench.now_ms))
  const recorded = await openAccount(bench)
  const statements = await recordStatements(async () => void (await importHere(bench, recorded, written)))
  const rounds = await repeat(bench.plan.rounds, async () => ({
    ours_s: await importHere(bench, await openAccount(bench), written),
    bare_s: await replayAll(await openAccount(bench), statements),
  }))
  const measured = written.facts / medianOf(rounds.map(({ ours_s }) => ours_s))
  const value = written.facts / medianOf(rounds.map(({ bare_s }) => bare_s))
  const what = `import of ${written.facts} facts, in one process`
  bench.report.add({ what, unit: 'facts/s', measured, limit: { value, of: BARE_PG }, ratio_to_reach: RATIO_TO_REACH })
}

/** Holds the insights that a server answered beside the statements that they take. */
export async function measureReadStatements(
  bench: Bench,
  database: string,
  token: string,
  ids: readonly string[],
  run: WrkRun,
): Promise<void> {
  const statements = await recordStatements(() => answerHere(bench, database, token, ids))
  const seconds = await repeat(bench.plan.rounds, () => replayAll(database, statements))
  const value = RECORDED_ANSWERS / medianOf(seconds)
  bench.report.add({
    what: `insights of ${ids.length} campaigns in turn, idle`,
    unit: 'requests/s',
    measured: rate(run),
    limit: { value, of: BARE_PG },
    ratio_to_reach: RATIO_TO_REACH,
  })
}

/** Returns how many seconds it took. */
async function importHere(bench: Bench, database: string, { file, facts }: ImportFile): Promise<number> {
  await using parser = new ImportParser({ hash_key: Buffer.from(HASH_KEY, 'hex'), batch_bytes: SHARED_BATCH_BYTES })
  await using store = await openStore(database)
  const started_ms = performance.now()
  const imported = await importFacts(file, {
    store,
    admission: new Admission(),
    readBatches: parser.readBatches,
    now_ms: () => bench.now_ms,
    rest: async () => {},
    onBadLine: (line, reason) => bench.report.fail(`line ${line}: ${reason}`),
    onProgress: () => undefined,
  })
  if (imported.facts !== facts) bench.report.fail(`${imported.facts} of ${facts} facts were imported`)
  return (performance.now() - started_ms) / 1000
}

async function openAccount(bench: Bench): Promise<string> {
  const database = await bench.databases.create('statements')
  await addAccount(database, ACCOUNTS[0], adsOfAccount(bench.plan))
  return database
}

/** One connection after another: what came of several at once is in the order in which each sent it. */
async function replayAll(database: string, connections: readonly (readonly Sent[])[]): Promise<number> {
  let seconds = 0
  for (const statements of connections) seconds += await replayStatements(database, statements)
  return seconds
}

async function answerHere(bench: Bench, database: string, token: string, ids: readonly string[]): Promise<void> {
  await using server = await openServer({
    host: '127.0.0.1',
    port: 0,
    database,
    public_url: undefined,
    app_secrets: [bench.app_secret],
    verify_token: undefined,
    require_appsecret_proof: false,
    request_limit: undefined,
    hash_key: Buffer.from(HASH_KEY, 'hex'),
    cors_origins: [],
    metrics_token: undefined,
    meta_history_limit: false,
    now: () => Temporal.Now.instant(),
    log: pino({ level: 'silent' }),
    prepare: async () => undefined,
    onDeath: (cause) => bench.report.fail(String(cause)),
  })
  for (let asked = 0; asked < RECORDED_ANSWERS; asked += ASKED_AT_ONCE) {
    const answers = Array.from({ length: ASKED_AT_ONCE }, (_, i) => {
      const id = ids[(asked + i) % ids.length] as string
      return fetch(server.url + insightsPath(id), { headers: headersOf(token) }).then((response) => response.text())
    })
    await Promise.all(answers)
  }
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bench, Report } from './bench.ts'
import { SqliteDatabases } from './databases.ts'
import { addAccount, makeHistory, writeImportFile } from './import.ts'
import { insightsPath } from './insights.ts'
import { ACCOUNTS, adsOfAccount, campaignIds, importEvents, liveEvents } from './load.ts'
import { formatMachine, readMachine } from './machine.ts'
import { exitOf, startNode } from './node-process.ts'
import { FULL } from './plan.ts'
import { type CpuProfile, type Label, runsIn, sharesOf } from './profile.ts'
import { askOnce, writeQuestion } from './questions.ts'
import { createToken } from './readout-server.ts'
import { ServerProcess } from './server-process.ts'
import { BULK, measureFacts, SINGLE } from './webhooks.ts'

const FACTS = 300_000

/** Steps of the thread that parses, of an import or of webhooks. */
const PARSING: readonly Label[] = [
  ['garbage collector', ['(garbage collector)']],
  ['start: modules', ['getOrCreateModuleJob loader']],
  ['parse JSON', ['parseJson json.ts', 'utf8Slice']],
  ['hash personal ids', ['#hash pseudonym.ts']],
  ['check a fact', ['parseFact fact.ts', 'readChange webhook.ts', 'listChanges webhook.ts']],
  ['pack', ['packFacts packed-facts.ts', 'postMessage']],
]

/** Steps of the thread that commits, whether facts come by import or by webhook. */
const TAKING: readonly Label[] = [
  ['garbage collector', ['(garbage collector)']],
  ['start: modules', ['getOrCreateModuleJob loader']],
  [
    'read what was packed',
    ['at packed-facts.ts', 'at joined-facts.ts', 'repeatedAt packed-facts.ts', 'textAt packed-facts.ts'],
  ],
  ['gather by thread, admit, sort', ['gather gather.ts', 'append append.ts']],
  ['read the old threads', ['read threads.ts']],
  ['merge', ['merge thread.ts']],
  ['resolve', ['resolve resolution.ts']],
  [
    'count the difference',
    [
      'addDifference append.ts',
      'ofAccounts rollup-cells.ts',
      'addThread rollup-cells.ts',
      'subtractThread rollup-cells.ts',
    ],
  ],
  ['write the threads', ['write threads.ts']],
  ['add to the cells', ['add rollups.ts']],
  ['commit and sync', [' store.ts', '#transaction store.ts', 'synced log-sync.ts', 'fdatasync']],
]

/** Steps of the thread that takes webhooks in, and answers them. */
const LETTING_IN: readonly Label[] = [
  ['garbage collector', ['(garbage collector)']],
  ['start: modules', ['getOrCreateModuleJob loader']],
  [
    'read the request',
    ['parserOnHeadersComplete _http_common', 'parserOnIncoming _http_server', 'readBody http-body.ts'],
  ],
  ['check the signature', ['isSigned signature.ts']],
  ['hand it over', ['submit writer.ts', '#hand writer.ts']],
  ['write the answer', ['send http.ts', 'end _http_outgoing', 'writev', 'writeUtf8String', 'writeLatin1String']],
  ['wake and end: streams, timers, ticks', ['processTicksAndRejections task_queues', 'emit events']],
]

const ANSWERING: readonly Label[] = [
  ['garbage collector', ['(garbage collector)']],
  ['start: modules', ['getOrCreateModuleJob loader']],
  ['read the request', ['parserOnHeadersComplete _http_common', 'parserOnIncoming _http_server']],
  ['sum the cells', ['sumColumns rollups.ts']],
  ['find the parameters, the token, the node; make the row', ['answer answer.ts', 'serve http.ts']],
  ['write the answer', ['send http.ts', 'end _http_outgoing', 'writev', 'writeUtf8String', 'writeLatin1String']],
  ['begin and end the transaction', [' store.ts', '#transaction store.ts', '#readTogether store.ts']],
  ['wake and end: streams, timers, ticks', ['processTicksAndRejections task_queues', 'emit events']],
]

await run()

/** Profiles an import, webhooks and insights on this machine, and prints where the busy thread's time went. */
async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'readout-profile-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const plan = { ...FULL, rounds: 1, import_facts: FACTS, history_facts: FACTS }
  const now_ms = Date.now()
  const databases = new SqliteDatabases(folder)
  const bench: Bench = {
    plan,
    folder,
    databases,
    now_ms,
    app_secret: 's',
    live: liveEvents(plan, now_ms),
    report: new Report(),
  }
  const importing = await profileImport(bench)
  print(`the parser, of an import of ${FACTS} facts`, threadOf(importing, 'import-parser-thread.ts'), PARSING)
  print('the thread that commits, of the same', threadOf(importing, 'append.ts'), TAKING)
  const history = await makeHistory(bench)
  const bulk = await profileServer(bench, history, (one) => measureFacts(bench, BULK, (work) => work(one)))
  print('the parser, of webhooks of 1000 changes', threadOf(bulk, 'parser-thread.ts'), PARSING)
  print('the writer, of the same', threadOf(bulk, 'writer-thread.ts'), TAKING)
  const single = await profileServer(bench, history, (one) => measureFacts(bench, SINGLE, (work) => work(one)))
  print('the server, of webhooks of 1 change', threadOf(single, 'src/http.ts'), LETTING_IN)
  print('the parser, of the same', threadOf(single, 'parser-thread.ts'), PARSING)
  print('the writer, of the same', threadOf(single, 'writer-thread.ts'), TAKING)
  const token = await createToken(history, ACCOUNTS)
  const calls = campaignIds(plan).map((id) => ({ path: insightsPath(id) }))
  const asked = writeQuestion(bench, token, 'insights of campaigns in turn', calls)
  const answering = await profileServer(bench, history, (one) => askOnce(bench, one.url, asked))
  print(`the server, of ${asked.what}`, threadOf(answering, 'src/http.ts'), ANSWERING)
  process.stdout.write(`${formatMachine(readMachine())}\n`)
}

async function profileImport(bench: Bench): Promise<CpuProfile[]> {
  const database = await bench.databases.create('import')
  await addAccount(database, ACCOUNTS[0], adsOfAccount(bench.plan))
  const { file } = writeImportFile(bench, importEvents(bench.plan, bench.now_ms))
  return profile(bench, ['src/cli/main.ts', 'import', file, '--database', database], (args) =>
    exitOf(startNode('--cpu-prof', args)),
  )
}

function profileServer(
  bench: Bench,
  database: string,
  load: (server: ServerProcess) => Promise<unknown>,
): Promise<CpuProfile[]> {
  const serving = ['src/cli/main.ts', 'serve', '--port', '0', '--database', database, '--app-secret', bench.app_secret]
  return profile(bench, [...serving, '--log-level', 'warn'], async (args) => {
    await using server = await ServerProcess.start('--cpu-prof', args)
    await load(server)
  })
}

/** The profiles of all threads of a process, which are written when it ends. */
async function profile(
  { folder }: Bench,
  args: readonly string[],
  work: (args: string[]) => Promise<unknown>,
): Promise<CpuProfile[]> {
  const profiles = mkdtempSync(join(folder, 'profiles-'))
  await work([`--cpu-prof-dir=${profiles}`, ...args])
  return readdirSync(profiles).map((name) => JSON.parse(readFileSync(join(profiles, name), 'utf8')) as CpuProfile)
}

function threadOf(profiles: readonly CpuProfile[], file: string): CpuProfile {
  const [thread] = profiles.filter((one) => runsIn(one, file)).sort((a, b) => b.samples.length - a.samples.length)
  if (thread === undefined) throw new Error(`no thread ran ${file}`)
  return thread
}

function print(what: string, thread: CpuProfile, labels: readonly Label[]): void {
  const rows = [...sharesOf(thread, labels)].map(([step, share]) => `| ${step} | ${(share * 100).toFixed(0)} % |\n`)
  process.stdout.write(`| ${what} | share of its busy time |\n| --- | ---: |\n${rows.join('')}\n`)
}

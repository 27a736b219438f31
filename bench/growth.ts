import { copyFileSync } from 'node:fs'
import type { Bench, Figure } from './bench.ts'
import { addAccount, bytesPerMessage, type ImportFile, megabytes, writeImportFile } from './import.ts'
import { insightsPath } from './insights.ts'
import { ACCOUNTS, adIds, cohortEvents } from './load.ts'
import { medianOf, medianRun } from './median.ts'
import { runReadout } from './node-process.ts'
import { askOnce, type Question, readAnswer, writeQuestion } from './questions.ts'
import { createToken, startServer } from './readout-server.ts'
import type { WrkRun } from './wrk.ts'

/** Campaigns that run at the same time, for the same month, and end before the next begin. */
const COHORT_ADS = 100

/** The last cohorts, each of which is also imported where there is nothing else. */
const COMPARED_COHORTS = 10

/** Campaigns that are asked about at the end, spread over all that ever ran. */
const SPREAD_ADS_MAX = 2000

/** What may become of the answers, and of the ingest, as messages are stored. */
const ANSWER_RATIO_MAX = 1.3
const INGEST_RATIO_MIN = 0.7

/** Facts a second of each import, and the most memory that one took. */
interface Windows {
  readonly stored: number[]
  /** Of the last cohorts, where there is nothing else; one after the other, so that the machine is the same for both. */
  readonly alone: number[]
  peak_memory_bytes: number
}

/** Measures what a hundred times as many stored messages do to the answers, and to the speed of what still comes in. */
export async function measureGrowth(bench: Bench, say: (message: string) => void): Promise<void> {
  const { plan, report } = bench
  const [many, few] = [await bench.databases.create('many'), await bench.databases.create('few')]
  await addAccount(many, ACCOUNTS[0], plan.cohorts * COHORT_ADS)
  const token = await createToken(many, [ACCOUNTS[0]])
  const windows: Windows = { stored: [], alone: [], peak_memory_bytes: 0 }
  for (let cohort = 0; cohort < plan.cohorts; cohort++) {
    const written = writeImportFile(bench, cohortEvents(plan, cohort, COHORT_ADS, bench.now_ms))
    windows.stored.push(await importTimed(many, written, windows))
    if (cohort === 0) await copyDatabase(bench, many, few)
    if (cohort >= plan.cohorts - COMPARED_COHORTS) windows.alone.push(await importAlone(bench, written, windows))
    say(`${cohort + 1} of ${plan.cohorts} cohorts: ${Math.round(windows.stored.at(-1) ?? 0)} facts/s`)
  }
  const { messages, bytes } = await bytesPerMessage(bench, many)
  await measureAnswers(
    bench,
    token,
    { database: many, messages },
    { database: few, ...(await bytesPerMessage(bench, few)) },
  )
  report.add(...ingestFigures(windows, messages), {
    what: '  database, per message',
    unit: 'bytes',
    measured: bytes,
    to_reach: 150,
  })
  report.remark(`facts/s of the cohorts one after another: ${windows.stored.map(Math.round).join(' ')}`)
}

async function importTimed(database: string, { file, facts }: ImportFile, windows: Windows): Promise<number> {
  const { wall_s, peak_memory_bytes } = await runReadout(['import', file, '--database', database])
  windows.peak_memory_bytes = Math.max(windows.peak_memory_bytes, peak_memory_bytes ?? Number.NaN)
  return facts / wall_s
}

async function importAlone({ databases, plan }: Bench, written: ImportFile, windows: Windows): Promise<number> {
  const database = await databases.create('alone')
  await addAccount(database, ACCOUNTS[0], plan.cohorts * COHORT_ADS)
  return importTimed(database, written, windows)
}

/** No process holds it, so that all of it is in its file once the log is brought in. */
async function copyDatabase({ databases }: Bench, from: string, to: string): Promise<void> {
  await databases.readSize(from)
  copyFileSync(from, to)
}

interface Stored {
  readonly database: string
  readonly messages: number
}

/**
 * Asks two servers in turn, one question at a time, so that what is measured is how long an answer takes: of the first
 * campaigns, which both have, of the account, and of campaigns of all that ever ran.
 */
async function measureAnswers(bench: Bench, token: string, many: Stored, few: Stored): Promise<void> {
  const { plan, report } = bench
  await using large = await startServer(bench, many.database)
  await using small = await startServer(bench, few.database)
  const ask = async (question: Question, server: { url: string }) => askOnce(bench, server.url, question)
  const first = adIds(ACCOUNTS[0], COHORT_ADS)
  const subjects: readonly [string, readonly string[]][] = [
    ['insights of a campaign', first],
    ['insights of the account', [`act_${ACCOUNTS[0].account_id}`]],
  ]
  for (const [what, ids] of subjects) {
    const question = await writeGrowthQuestion(bench, token, what, ids, [large, small])
    const runs: [WrkRun, WrkRun][] = []
    for (let round = 0; round < plan.rounds; round++)
      runs.push([await ask(question, large), await ask(question, small)])
    const [run, limit] = [medianRun(runs.map(([first]) => first)), medianRun(runs.map(([, second]) => second))]
    report.add(...answerFigures(`${what}, ${formatStored(many)}`, run, limit, formatStored(few)))
  }
  const spread = spreadIds(plan.cohorts * COHORT_ADS)
  const what = `insights of one of ${spread.length} campaigns, ${formatStored(many)}`
  const run = await ask(await writeGrowthQuestion(bench, token, what, spread, [large]), large)
  report.add({ what, unit: 'ms', measured: run.p50_ms })
}

/** Each node is tried once on each server. */
async function writeGrowthQuestion(
  bench: Bench,
  token: string,
  what: string,
  ids: readonly string[],
  servers: readonly Parameters<typeof readAnswer>[0][],
): Promise<Question> {
  const calls = ids.map((id) => ({ path: insightsPath(id) }))
  for (const server of servers) for (const call of calls) await readAnswer(server, token, call)
  return writeQuestion(bench, token, what, calls, 1)
}

function answerFigures(what: string, run: WrkRun, limit: WrkRun, of: string): Figure[] {
  return [
    { what, unit: 'ms', measured: run.p50_ms, limit: { value: limit.p50_ms, of }, ratio_to_reach: ANSWER_RATIO_MAX },
    { what: '  p99', unit: 'ms', measured: run.p99_ms, limit: { value: limit.p99_ms, of } },
  ]
}

function ingestFigures({ stored, alone, peak_memory_bytes }: Windows, messages: number): Figure[] {
  const limit = { value: medianOf(alone), of: 'the same files, into an empty database' }
  const last = stored.slice(-alone.length)
  return [
    {
      what: `import, up to ${formatStored({ messages })}`,
      unit: 'facts/s',
      measured: medianOf(last),
      limit,
      ratio_to_reach: INGEST_RATIO_MIN,
    },
    { what: '  the first as many', unit: 'facts/s', measured: medianOf(stored.slice(0, alone.length)) },
    {
      what: '  peak memory',
      unit: 'MB',
      measured: megabytes(peak_memory_bytes),
      to_reach: 400,
    },
  ]
}

function spreadIds(ads: number): string[] {
  const apart = Math.max(1, Math.floor(ads / SPREAD_ADS_MAX))
  return adIds(ACCOUNTS[0], ads).filter((_, i) => i % apart === 0)
}

function formatStored({ messages }: { readonly messages: number }): string {
  return `${messages.toLocaleString('en')} messages stored`
}

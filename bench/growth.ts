import { join } from 'node:path'
import type { Bench, Figure } from './bench.ts'
import { addAccount, bytesPerMessage, megabytes, writeImportFile } from './import.ts'
import { insightsPath } from './insights.ts'
import { ACCOUNTS, adIds, cohortEvents } from './load.ts'
import { medianOf } from './median.ts'
import { runReadout } from './node-process.ts'
import { ask, readAnswer, writeQuestion } from './questions.ts'
import { createToken, startServer } from './readout-server.ts'
import { rate } from './webhooks.ts'
import type { WrkRun } from './wrk.ts'

/** Campaigns that run at the same time, for the same month, and end before the next begin. */
export const COHORT_ADS = 100

/** Windows whose median stands for the beginning, and for the end. */
const EDGE_WINDOWS = 10

/** Campaigns that are asked about at the end, spread over all that ever ran. */
const SPREAD_ADS_MAX = 2000

/** What may become of the answers and of the ingest as messages are stored. */
const ANSWER_RATIO_MAX = 1.3
const INGEST_RATIO_MIN = 0.7

/** Measures what a hundred times as many stored messages do to the answers, and to the speed of what still comes in. */
export async function measureGrowth(bench: Bench, say: (message: string) => void): Promise<void> {
  const { plan, folder, report } = bench
  const database = join(folder, 'growth.db')
  await addAccount(database, ACCOUNTS[0], plan.cohorts * COHORT_ADS)
  const token = await createToken(database, [ACCOUNTS[0]])
  const first = adIds(ACCOUNTS[0], COHORT_ADS)
  const windows: number[] = []
  let peak = 0
  const few = { messages: 0, answers: [] as readonly WrkRun[] }
  for (let cohort = 0; cohort < plan.cohorts; cohort++) {
    const { file, facts } = writeImportFile(bench, cohortEvents(plan, cohort, COHORT_ADS, bench.now_ms))
    const { wall_s, peak_memory_bytes } = await runReadout(['import', file, '--database', database])
    windows.push(facts / wall_s)
    peak = Math.max(peak, peak_memory_bytes ?? Number.NaN)
    say(`${cohort + 1} of ${plan.cohorts} cohorts: ${Math.round(facts / wall_s)} facts/s`)
    if (cohort > 0) continue
    few.messages = bytesPerMessage(database).messages
    few.answers = await answer(bench, database, token, first)
  }
  const many = bytesPerMessage(database)
  const answers = await answer(bench, database, token, first)
  const stored = `${format(many.messages)} messages stored`
  for (const [i, what] of ['insights of a campaign', 'insights of the account'].entries()) {
    report.add(...answerFigures(`${what}, ${stored}`, answers[i] as WrkRun, few.answers[i] as WrkRun, few.messages))
  }
  const [spread] = await answer(bench, database, token, spreadIds(plan.cohorts * COHORT_ADS))
  report.add({
    what: `insights of a campaign of all that ever ran, ${stored}`,
    unit: 'ms',
    measured: spread?.p50_ms ?? null,
  })
  report.add(
    {
      what: `import with ${stored}`,
      unit: 'facts/s',
      measured: medianOf(windows.slice(-EDGE_WINDOWS)),
      limit: {
        value: medianOf(windows.slice(0, EDGE_WINDOWS)),
        of: `the first ${EDGE_WINDOWS} of ${windows.length} windows`,
      },
      ratio_to_reach: INGEST_RATIO_MIN,
    },
    { what: '  slowest window', unit: 'facts/s', measured: Math.min(...windows) },
    { what: '  peak memory', unit: 'MB', measured: megabytes(Number.isNaN(peak) ? null : peak), to_reach: 400 },
    { what: '  database, per message', unit: 'bytes', measured: many.bytes, to_reach: 150 },
  )
  report.remark(`facts/s, window by window: ${windows.map((window) => Math.round(window)).join(' ')}`)
}

/** Asks one at a time, so that what is measured is how long an answer takes: of campaigns in turn, and of the account. */
async function answer(bench: Bench, database: string, token: string, ids: readonly string[]): Promise<WrkRun[]> {
  await using server = await startServer(bench, database)
  const runs: WrkRun[] = []
  for (const [i, nodes] of [ids, [`act_${ACCOUNTS[0].account_id}`]].entries()) {
    const calls = nodes.map((id) => ({ path: insightsPath(id) }))
    for (const call of calls) await readAnswer(server, token, call)
    runs.push(await ask(bench, server, writeQuestion(bench, token, `growth ${i}`, calls, 1)))
  }
  return runs
}

function answerFigures(what: string, run: WrkRun, few: WrkRun, messages: number): Figure[] {
  const of = `with ${format(messages)} messages stored`
  return [
    { what, unit: 'ms', measured: run.p50_ms, limit: { value: few.p50_ms, of }, ratio_to_reach: ANSWER_RATIO_MAX },
    { what: '  p99', unit: 'ms', measured: run.p99_ms, limit: { value: few.p99_ms, of } },
    { what: '  answers', unit: 'requests/s', measured: rate(run), limit: { value: rate(few), of } },
  ]
}

function spreadIds(ads: number): string[] {
  const apart = Math.max(1, Math.floor(ads / SPREAD_ADS_MAX))
  return adIds(ACCOUNTS[0], ads).filter((_, i) => i % apart === 0)
}

function format(count: number): string {
  return count.toLocaleString('en')
}

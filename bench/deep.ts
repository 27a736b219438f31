import { setTimeout } from 'node:timers/promises'
import { DAY_MS, formatDay } from '../src/domain/day.ts'
import type { Bench, Figure } from './bench.ts'
import { megabytes } from './import.ts'
import { FIELDS, insightsPath } from './insights.ts'
import { adIds, DEEP_ACCOUNT, DEEP_DAYS } from './load.ts'
import { PageTally, readPage, type Tally } from './pages.ts'
import { ask, figuresOf, readAnswer, startBare, writeQuestion } from './questions.ts'
import type { ServerProcess } from './server-process.ts'

/** What the account that is read to the end must come to, as its rollup has it. */
export type Expected = Omit<Tally, 'sha256'>

/** Rows on a page, of a result and of a report: a client with so much to read asks for more than the usual 25. */
const PAGE_ROWS = 1000

/** Enough pages of the bare server to tell its speed. */
const BARE_PAGES_MAX = 200

/** Memory is flat when a tenth of the way has shown all of it. */
const EARLY_PART = 0.1

const POLL_EVERY_MS = 50
const REPORT_MS_MAX = 300_000

const ACCOUNT_PATH = `/v25.0/act_${DEEP_ACCOUNT.account_id}/insights`

/** How far a report is, as its node tells. */
interface Run {
  readonly async_status: string
  readonly async_percent_completion: number
}

/** How much memory a process had held at most, a tenth of the way and at the end. */
interface Peaks {
  readonly early: number | null
  readonly end: number | null
}

/** Reads from the database how many rows there are to come, and their sums. */
export async function readExpected(bench: Bench, database: string): Promise<Expected> {
  const { since, until } = deepDays(bench)
  const sums = await bench.databases.read(database, `${SUM_DEEP} BETWEEN ${since} AND ${until}`)
  const rows = Number(sums.rows)
  const { deep_ads } = bench.plan
  bench.report.remark(`of ${deep_ads} ads read to the end, ${rows} of ${deep_ads * DEEP_DAYS} ad-days have facts`)
  return { rows, ad_days: rows, delivered: Number(sums.delivered), spend_micros: Number(sums.spend_micros) }
}

const SUM_DEEP = `
  SELECT COUNT(*) AS rows, SUM(delivered_b + delivered_c) AS delivered,
    SUM(spend_micros_a + spend_micros_b + spend_micros_c) AS spend_micros
  FROM rollup WHERE ad <> 0 AND day`

/** Measures an account's rows by ad and day, to the last of them: by paging, and as a report, which must be the same. */
export async function measureDeep(
  bench: Bench,
  server: ServerProcess,
  token: string,
  expected: Expected,
): Promise<void> {
  const { deep_ads } = bench.plan
  const path = `${ACCOUNT_PATH}?${deepParameters(bench)}`
  const bare = await readBare(bench, server, token, path, expected)
  const paged = await readToEnd(server, token, path, expected)
  bench.report.add(
    ...paged.pages.figures(`rows of ${deep_ads} ads by day, read by paging`, bare),
    memoryOf(paged.peaks),
  )
  const { run_id, seconds, peaks } = await makeReport(bench, server, token)
  const what = 'the same as a report: made'
  bench.report.add({ what, unit: 'rows/s', measured: expected.rows / seconds }, memoryOf(peaks))
  const reported = await readToEnd(server, token, `/v25.0/${run_id}/insights?limit=${PAGE_ROWS}`, expected)
  bench.report.add(...reported.pages.figures('the same as a report: read', bare), memoryOf(reported.peaks))
  checkTotals(bench, paged.pages.total, reported.pages.total, expected)
}

/** Measures the insights of campaigns while a report is made of all of them, beside those of the idle server. */
export async function measureMeanwhile(bench: Bench, server: ServerProcess, token: string): Promise<void> {
  const ids = adIds(DEEP_ACCOUNT, Math.min(bench.plan.campaigns, bench.plan.deep_ads))
  const calls = ids.map((id) => ({ path: insightsPath(id) }))
  for (const call of calls) await readAnswer(server, token, call)
  const question = writeQuestion(bench, token, `insights of ${ids.length} campaigns, while a report is made`, calls)
  const idle = await ask(bench, server, question)
  const run_id = await orderReport(bench, server, token)
  const run = await ask(bench, server, question)
  const { async_status } = await readRun(server, token, run_id)
  if (async_status !== 'Job Running') bench.report.remark(`the report was ${async_status} before the load ended`)
  bench.report.add(...figuresOf(question.what, 'requests/s', run, { run: idle, of: 'the same server, idle' }))
}

/** Reads every page that `next` leads to. */
async function readToEnd(
  server: ServerProcess,
  token: string,
  path: string,
  { rows }: Expected,
): Promise<{ pages: PageTally; peaks: Peaks }> {
  const pages = new PageTally()
  let early: number | null = null
  for (let url: string | undefined = server.url + path; url !== undefined; ) {
    const page = await readPage(url, token)
    pages.add(page)
    if (pages.rows >= rows * EARLY_PART) early ??= server.peak_memory_bytes
    url = page.next
  }
  return { pages, peaks: { early, end: server.peak_memory_bytes } }
}

/** Reads the first page from a bare server, again and again. */
async function readBare(
  bench: Bench,
  server: ServerProcess,
  token: string,
  path: string,
  { rows }: Expected,
): Promise<PageTally> {
  await using bare = await startBare(bench, await readAnswer(server, token, { path }))
  const pages = new PageTally()
  for (let left = Math.min(rows / PAGE_ROWS, BARE_PAGES_MAX); left > 0; left--) {
    pages.add(await readPage(bare.url, token))
  }
  return pages
}

async function makeReport(
  bench: Bench,
  server: ServerProcess,
  token: string,
): Promise<{ run_id: string; seconds: number; peaks: Peaks }> {
  const started_ms = performance.now()
  const run_id = await orderReport(bench, server, token)
  let early: number | null = null
  for (;;) {
    const { async_status, async_percent_completion } = await readRun(server, token, run_id)
    if (async_percent_completion >= EARLY_PART * 100) early ??= server.peak_memory_bytes
    const ms = performance.now() - started_ms
    if (async_status === 'Job Completed') {
      return { run_id, seconds: ms / 1000, peaks: { early, end: server.peak_memory_bytes } }
    }
    if (async_status === 'Job Failed' || ms > REPORT_MS_MAX)
      throw new Error(`the report is ${async_status} after ${ms} ms`)
    await setTimeout(POLL_EVERY_MS)
  }
}

/** Returns the id of the report's run. */
async function orderReport(bench: Bench, server: ServerProcess, token: string): Promise<string> {
  const form = deepParameters(bench).toString()
  const { body } = await readAnswer(server, token, { path: ACCOUNT_PATH, form })
  return (JSON.parse(body) as { report_run_id: string }).report_run_id
}

async function readRun(server: ServerProcess, token: string, run_id: string): Promise<Run> {
  return JSON.parse((await readAnswer(server, token, { path: `/v25.0/${run_id}` })).body) as Run
}

/** Each ad and day once, as the ledger has them, and the same rows both ways. */
function checkTotals({ report }: Bench, paged: Tally, reported: Tally, expected: Expected): void {
  for (const [by, { sha256, ...total }] of [['paging', paged] as const, ['the report', reported] as const]) {
    const wrong = Object.entries(expected).filter(([name, value]) => total[name as keyof Expected] !== value)
    for (const [name, value] of wrong) {
      report.fail(`${by} came to ${total[name as keyof Expected]} ${name}, and the ledger to ${value}`)
    }
  }
  if (paged.sha256 !== reported.sha256) report.fail('paging and the report gave different rows')
}

function memoryOf({ early, end }: Peaks): Figure {
  const limit = early === null ? undefined : { value: early / 1e6, of: 'the same after a tenth of it' }
  return { what: '  server: peak memory', unit: 'MB', measured: megabytes(end), ...(limit && { limit }) }
}

function deepParameters(bench: Bench): URLSearchParams {
  const { since, until } = deepDays(bench)
  return new URLSearchParams({
    fields: ['ad_id', ...FIELDS].join(','),
    level: 'ad',
    time_increment: '1',
    time_range: JSON.stringify({ since: formatDay(since), until: formatDay(until) }),
    limit: String(PAGE_ROWS),
  })
}

/** In UTC, the time zone of the account. */
function deepDays({ now_ms }: Bench): { since: number; until: number } {
  const today = Math.floor(now_ms / DAY_MS)
  return { since: today - DEEP_DAYS, until: today - 1 }
}

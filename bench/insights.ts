import type { FixedAnswer } from './bare-server.ts'
import type { Bench } from './bench.ts'
import { takeBodies } from './bodies.ts'
import { ACCOUNTS, adsOfAccount, campaignIds } from './load.ts'
import { BUSY_FACTS_PER_S } from './plan.ts'
import { Poster } from './poster.ts'
import { ask, askBeside, type Bar, figuresOf, type Question, readAnswer, writeQuestion } from './questions.ts'
import type { ServerProcess } from './server-process.ts'
import { rate } from './webhooks.ts'
import type { WrkRun } from './wrk.ts'

export const FIELDS = [
  'marketing_messages_delivered',
  'marketing_messages_read_rate',
  'marketing_messages_link_btn_click',
  'marketing_messages_link_btn_click_rate',
  'marketing_messages_spend',
  'marketing_messages_cost_per_delivered',
  'marketing_messages_cost_per_link_btn_click',
]

const BREAKDOWNS = ['country', 'hourly_stats_aggregated_by_advertiser_time_zone']

const BUSY_CHANGES = 1000

/** Nodes whose insights are asked for in turn, and what they answer. */
export interface Subject extends Question {
  readonly ids: readonly string[]
  /** The messages delivered of each node. */
  readonly delivered: readonly number[]
  /** What the first of them answers. */
  readonly answer: FixedAnswer
  readonly bar: Bar
}

type Row = Readonly<Record<string, string>>

/** The campaigns of the history, and the first of its accounts; each node is tried once. */
export async function openSubjects(bench: Bench, server: ServerProcess, token: string): Promise<[Subject, Subject]> {
  const campaigns = campaignIds(bench.plan)
  const account = `insights of an account of ${adsOfAccount(bench.plan)} ads`
  const open = (what: string, ids: readonly string[], bar: Bar) => openSubject(bench, server, token, what, ids, bar)
  return [
    await open(`insights of ${campaigns.length} campaigns in turn`, campaigns, { ratio: 0.35, p99_ms: 10 }),
    await open(account, [`act_${ACCOUNTS[0].account_id}`], { ratio: 0.35 }),
  ]
}

async function openSubject(
  bench: Bench,
  server: ServerProcess,
  token: string,
  what: string,
  ids: readonly string[],
  bar: Bar,
): Promise<Subject> {
  const calls = ids.map((id) => ({ path: insightsPath(id) }))
  const answers: FixedAnswer[] = []
  for (const call of calls) answers.push(await readAnswer(server, token, call))
  const delivered = answers.map(({ body }) => deliveredOf(rowsOf(body)))
  const silent = delivered.findIndex((count) => !(count > 0))
  if (silent >= 0) throw new Error(`${ids[silent]} has nothing delivered: ${answers[silent]?.body}`)
  const question = writeQuestion(bench, token, what, calls)
  return { ...question, ids, delivered, bar, answer: answers[0] as FixedAnswer }
}

/** Measures the answers of a server that has nothing else to do, beside those of a bare one. */
export async function measureIdle(bench: Bench, server: ServerProcess, subject: Subject): Promise<WrkRun> {
  const { what, answer, bar } = subject
  const { run, limit } = await askBeside(bench, server, subject, answer)
  bench.report.add(...figuresOf(`${what}, idle`, 'requests/s', run, limit, bar))
  return run
}

/** The part of its idle speed that a server keeps while it takes webhooks. */
const BUSY_RATIO = 0.6

/** Measures the answers of a server that takes webhooks meanwhile, beside its idle ones, and how many it takes. */
export async function measureBusy(bench: Bench, server: ServerProcess, subject: Subject, idle: WrkRun): Promise<void> {
  const { plan, live, app_secret, report } = bench
  const bodies_per_s = BUSY_FACTS_PER_S / BUSY_CHANGES
  const seconds = plan.warm_up_s + plan.rounds * plan.run_s + 2
  const bodies = [...takeBodies(live, BUSY_CHANGES, bodies_per_s * seconds)]
  const poster = new Poster(server.url, bodies, bodies_per_s, app_secret)
  const run = await ask(bench, server, subject)
  const posted = await poster.stop()
  if (posted.refused > 0) report.fail(`${posted.refused} webhooks were refused while insights were read`)
  const limit = { run: idle, of: 'the same server, idle' }
  report.add(...figuresOf(`${subject.what}, under ingest`, 'requests/s', run, limit, { ratio: BUSY_RATIO }), {
    what: '  facts taken meanwhile',
    unit: 'facts/s',
    measured: (posted.accepted * BUSY_CHANGES) / posted.seconds,
  })
}

/** Measures the same answers cut by each breakdown: the rows of a node must come to what it answers as a whole. */
export async function measureBreakdowns(
  bench: Bench,
  server: ServerProcess,
  token: string,
  { what, ids, delivered }: Subject,
): Promise<void> {
  // An account sums the cells of all its ads: many such requests at once only wait for each other, and keep what is
  // measured next waiting too.
  const connections = ids.length === 1 ? 1 : undefined
  for (const breakdown of BREAKDOWNS) {
    const calls = ids.map((id) => ({ path: `${insightsPath(id)}&breakdowns=${breakdown}` }))
    let first: FixedAnswer | undefined
    for (const [i, call] of calls.entries()) {
      const answer = await readAnswer(server, token, call)
      first ??= answer
      const rows = rowsOf(answer.body)
      if (rows.every((row) => breakdown in row) && deliveredOf(rows) === delivered[i]) continue
      throw new Error(`${call.path} does not come to ${delivered[i]} messages delivered: ${answer.body}`)
    }
    const name = `${what}, by ${breakdown.replace(/_.*/, '')}`
    const question = writeQuestion(bench, token, name, calls, connections)
    const { run, limit } = await askBeside(bench, server, question, first as FixedAnswer)
    bench.report.add(...figuresOf(question.what, 'requests/s', run, limit))
  }
}

const BATCH_ITEMS = 50

/** Measures the insights of campaigns in batches, beside those of one request each, of which `singles` were answered. */
export async function measureBatches(
  bench: Bench,
  server: ServerProcess,
  token: string,
  { ids, delivered }: Subject,
  singles: WrkRun,
): Promise<void> {
  const calls = Array.from({ length: ids.length / BATCH_ITEMS }, (_, i) =>
    batchCall(ids.slice(i * BATCH_ITEMS, (i + 1) * BATCH_ITEMS)),
  )
  const answers: FixedAnswer[] = []
  for (const call of calls) answers.push(await readAnswer(server, token, call))
  const items = answers.flatMap(({ body }) => JSON.parse(body) as { code: number; body: string }[])
  const wrong = ids.findIndex((_, i) => items[i]?.code !== 200 || deliveredOf(rowsOf(items[i].body)) !== delivered[i])
  if (wrong >= 0) throw new Error(`a batch does not answer ${ids[wrong]} as one request does: ${items[wrong]?.body}`)
  const question = writeQuestion(bench, token, `batches of ${BATCH_ITEMS} campaigns`, calls)
  const { run, limit } = await askBeside(bench, server, question, answers[0] as FixedAnswer)
  bench.report.add(...figuresOf(question.what, 'batches/s', run, limit), {
    what: '  insights in them',
    unit: 'requests/s',
    measured: rate(run) * BATCH_ITEMS,
    limit: { value: rate(singles), of: 'the same server, one request each' },
  })
}

function batchCall(ids: readonly string[]): { path: string; form: string } {
  const items = ids.map((id) => ({ method: 'GET', relative_url: insightsPath(id).slice(1) }))
  return { path: '/v25.0/', form: `batch=${encodeURIComponent(JSON.stringify(items))}` }
}

/** What is asked of each node: seven fields over the last 30 days. */
export function insightsPath(id: string): string {
  return `/v25.0/${id}/insights?fields=${FIELDS.join(',')}&date_preset=last_30d`
}

function rowsOf(body: string): readonly Row[] {
  return (JSON.parse(body) as { data?: Row[] }).data ?? []
}

/** `NaN` for rows that do not tell. */
function deliveredOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + Number(row.marketing_messages_delivered), 0)
}

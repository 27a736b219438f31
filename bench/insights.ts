import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FixedAnswer } from './bare-server.ts'
import type { Bench, Figure } from './bench.ts'
import { takeBodies } from './bodies.ts'
import { ACCOUNTS, adsOfAccount, campaignIds } from './load.ts'
import { BUSY_FACTS_PER_S, type Plan } from './plan.ts'
import { Poster } from './poster.ts'
import { formatRequest, writeRequests } from './requests.ts'
import { ServerProcess } from './server-process.ts'
import { rate } from './webhooks.ts'
import { runWrk, type WrkRun } from './wrk.ts'

const FIELDS = [
  'marketing_messages_delivered',
  'marketing_messages_read_rate',
  'marketing_messages_link_btn_click',
  'marketing_messages_link_btn_click_rate',
  'marketing_messages_spend',
  'marketing_messages_cost_per_delivered',
  'marketing_messages_cost_per_link_btn_click',
]

const CONNECTIONS = 32
const BUSY_CHANGES = 1000
const LIMIT = 'bare node:http, same bytes'

/** Nodes that are asked for in turn, and how fast a bare server gives the answer of one of them. */
export interface Question {
  readonly what: string
  readonly requests: string
  readonly limit: WrkRun
  readonly to_reach?: number
}

/** Writes the requests of campaigns and of an account, tries each node once, and measures the limits. */
export async function openQuestions(bench: Bench, server: ServerProcess, token: string): Promise<Question[]> {
  const campaigns = campaignIds(bench.plan)
  const account = { ...ACCOUNTS[0], ads: adsOfAccount(bench.plan) }
  const ask = (name: string, ids: readonly string[]) => openQuestion(bench, server, token, name, ids)
  return [
    {
      what: `insights of ${campaigns.length} campaigns in turn`,
      to_reach: 10_000,
      ...(await ask('campaigns', campaigns)),
    },
    { what: `insights of an account of ${account.ads} ads`, ...(await ask('account', [`act_${account.account_id}`])) },
  ]
}

async function openQuestion(
  { folder, plan }: Bench,
  server: ServerProcess,
  token: string,
  name: string,
  ids: readonly string[],
): Promise<{ requests: string; limit: WrkRun }> {
  const requests = join(folder, `${name}.requests`)
  const headers = { authorization: `Bearer ${token}` }
  writeRequests(
    requests,
    ids.map((id) => formatRequest(`GET ${pathOf(id)}`, headers)),
  )
  const answers = []
  for (const id of ids) answers.push(await readAnswer(server.url + pathOf(id), headers))
  const file = join(folder, `${name}.answer.json`)
  writeFileSync(file, JSON.stringify(answers[0]))
  await using bare = await ServerProcess.start('bench/bare-server.ts', ['insights', file])
  return { requests, limit: await runWarm(bare.url, requests, plan) }
}

/** Measures the answers of a server that has nothing else to do. */
export async function measureIdle(bench: Bench, server: ServerProcess, question: Question): Promise<void> {
  const run = await ask(bench, server, question)
  bench.report.add(...figuresOf(`${question.what}, idle`, run, question, question.to_reach))
}

/** Measures the answers of a server that takes webhooks meanwhile, and how many it takes. */
export async function measureBusy(bench: Bench, server: ServerProcess, question: Question): Promise<void> {
  const { plan, live, app_secret, report } = bench
  const bodies_per_s = BUSY_FACTS_PER_S / BUSY_CHANGES
  const seconds = plan.warm_up_s + plan.run_s + 2
  const bodies = [...takeBodies(live, BUSY_CHANGES, bodies_per_s * seconds)]
  const poster = new Poster(server.url, bodies, bodies_per_s, app_secret)
  const run = await ask(bench, server, question)
  const posted = await poster.stop()
  if (posted.refused > 0) report.fail(`${posted.refused} webhooks were refused while insights were read`)
  report.add(...figuresOf(`${question.what}, under ingest`, run, question), {
    what: '  facts taken meanwhile',
    unit: 'facts/s',
    measured: (posted.accepted * BUSY_CHANGES) / posted.seconds,
  })
}

async function ask(bench: Bench, server: ServerProcess, { what, requests }: Question): Promise<WrkRun> {
  const run = await runWarm(server.url, requests, bench.plan)
  if (run.refused + run.broken > 0) bench.report.fail(`${what}: ${run.refused} refused, ${run.broken} broken`)
  return run
}

async function runWarm(url: string, requests: string, { warm_up_s, run_s }: Plan): Promise<WrkRun> {
  const load = { url, requests, connections: CONNECTIONS }
  if (warm_up_s > 0) await runWrk({ ...load, seconds: warm_up_s })
  return runWrk({ ...load, seconds: run_s })
}

function figuresOf(what: string, run: WrkRun, { limit }: Question, to_reach?: number): Figure[] {
  const beside = (value: number) => ({ limit: { value, of: LIMIT } })
  return [
    { what, unit: 'requests/s', measured: rate(run), ...beside(rate(limit)), ...(to_reach && { to_reach }) },
    { what: '  p50', unit: 'ms', measured: run.p50_ms, ...beside(limit.p50_ms) },
    { what: '  p99', unit: 'ms', measured: run.p99_ms, ...beside(limit.p99_ms) },
  ]
}

function pathOf(id: string): string {
  return `/v25.0/${id}/insights?fields=${FIELDS.join(',')}&date_preset=last_30d`
}

/** Reads one answer. Throws when it is not a row of numbers: the load would measure something else. */
async function readAnswer(url: string, headers: Record<string, string>): Promise<FixedAnswer> {
  const response = await fetch(url, { headers })
  const body = await response.text()
  const [row] = (JSON.parse(body) as { data?: Record<string, string>[] }).data ?? []
  if (!(Number(row?.marketing_messages_delivered) > 0)) throw new Error(`${url} has nothing delivered: ${body}`)
  const names = [...response.headers.keys()].filter((name) => !OWN_HEADERS.has(name))
  return {
    status: response.status,
    headers: Object.fromEntries(names.map((name) => [name, response.headers.get(name) ?? ''])),
    body,
  }
}

/** Headers that every server of Node's adds by itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive'])

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FixedAnswer } from './bare-server.ts'
import type { Bench, Figure } from './bench.ts'
import { medianRun, repeat } from './median.ts'
import { formatRequest, writeRequests } from './requests.ts'
import { ServerProcess } from './server-process.ts'
import { rate } from './webhooks.ts'
import { runWrk, type WrkRun } from './wrk.ts'

/** A call to the Graph door: a GET, or a POST where it has a form. */
export interface Call {
  readonly path: string
  readonly form?: string
}

/** Calls that are made in turn. */
export interface Question {
  readonly what: string
  /** The file of their requests. */
  readonly requests: string
  readonly connections: number
}

/** What a question is held against. */
export interface Limit {
  readonly run: WrkRun
  readonly of: string
}

export const BARE = 'bare node:http, same bytes'

const CONNECTIONS_MAX = 32

/** Headers that every server of Node's adds by itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive'])

/** Writes down the requests of a question. */
export function writeQuestion(
  { folder }: Bench,
  token: string,
  what: string,
  calls: readonly Call[],
  connections = CONNECTIONS_MAX,
): Question {
  const requests = join(folder, `${what.replaceAll(/\W+/g, '-')}.requests`)
  writeRequests(
    requests,
    calls.map(({ path, form }) => {
      if (form === undefined) return formatRequest(`GET ${path}`, headersOf(token))
      const body = Buffer.from(form)
      const headers = { ...headersOf(token, form), 'content-length': String(body.length) }
      return formatRequest(`POST ${path}`, headers, body)
    }),
  )
  return { what, requests, connections }
}

/** Reads one answer. Throws when it is not 200: the load would measure something else. */
export async function readAnswer({ url }: ServerProcess, token: string, { path, form }: Call): Promise<FixedAnswer> {
  const body = form ?? null
  const response = await fetch(url + path, {
    method: body === null ? 'GET' : 'POST',
    headers: headersOf(token, form),
    body,
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${path} is answered ${response.status}: ${text}`)
  const names = [...response.headers.keys()].filter((name) => !OWN_HEADERS.has(name))
  const headers = Object.fromEntries(names.map((name) => [name, response.headers.get(name) ?? '']))
  return { status: response.status, headers, body: text }
}

/** Starts a server that gives this answer to every request. */
export function startBare({ folder }: Pick<Bench, 'folder'>, answer: FixedAnswer): Promise<ServerProcess> {
  const file = join(folder, 'answer.json')
  writeFileSync(file, JSON.stringify(answer))
  return ServerProcess.start('bench/bare-server.ts', ['insights', file])
}

/** Asks a question as often as the server answers it, after a warm-up: the median of some rounds. */
export async function ask(bench: Bench, { url }: ServerProcess, question: Question): Promise<WrkRun> {
  await warmUp(bench, url, question)
  return medianRun(await repeat(bench.plan.rounds, () => askOnce(bench, url, question)))
}

/**
 * Asks a server, and in turn with it a bare one that always gives this answer: what else the machine does from one round to
 * the next concerns both.
 */
export async function askBeside(
  bench: Bench,
  { url }: ServerProcess,
  question: Question,
  answer: FixedAnswer,
): Promise<{ run: WrkRun; limit: Limit }> {
  await using bare = await startBare(bench, answer)
  for (const one of [url, bare.url]) await warmUp(bench, one, question)
  const limits: WrkRun[] = []
  const runs = await repeat(bench.plan.rounds, async () => {
    limits.push(await askOnce(bench, bare.url, question))
    return askOnce(bench, url, question)
  })
  return { run: medianRun(runs), limit: { run: medianRun(limits), of: BARE } }
}

async function warmUp({ plan }: Bench, url: string, { requests, connections }: Question): Promise<void> {
  if (plan.warm_up_s > 0) await runWrk({ url, requests, connections, seconds: plan.warm_up_s })
}

/** Asks a question as often as a server answers it, for one round. */
export async function askOnce({ plan, report }: Bench, url: string, question: Question): Promise<WrkRun> {
  const { requests, connections } = question
  const run = await runWrk({ url, requests, connections, seconds: plan.run_s })
  if (run.refused + run.broken > 0) report.fail(`${question.what}: ${run.refused} refused, ${run.broken} broken`)
  return run
}

/** What is to be reached: a part of the limit's rate, and milliseconds within which 99 of 100 are answered. */
export interface Bar {
  readonly ratio?: number
  readonly p99_ms?: number
}

export function figuresOf(what: string, unit: Figure['unit'], run: WrkRun, limit: Limit, bar: Bar = {}): Figure[] {
  const beside = (value: number) => ({ limit: { value, of: limit.of } })
  const { ratio, p99_ms } = bar
  return [
    { what, unit, measured: rate(run), ...beside(rate(limit.run)), ...(ratio && { ratio_to_reach: ratio }) },
    { what: '  p50', unit: 'ms', measured: run.p50_ms, ...beside(limit.run.p50_ms) },
    {
      what: '  p99',
      unit: 'ms',
      measured: run.p99_ms,
      ...beside(limit.run.p99_ms),
      ...(p99_ms && { to_reach: p99_ms }),
    },
  ]
}

/** What a call carries; `wrk` takes no compressed answers, and so nobody here does. */
export function headersOf(token: string, form?: string): Record<string, string> {
  const type = form === undefined ? undefined : { 'content-type': 'application/x-www-form-urlencoded' }
  return { authorization: `Bearer ${token}`, 'accept-encoding': 'identity', ...type }
}

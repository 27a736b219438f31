import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { formatWebhookRequest, takeBodies, WEBHOOK_PATH } from './bodies.ts'
import { measureParseLimit, PARSE_LIMIT, parseBody } from './limits.ts'
import { writeRequests } from './requests.ts'
import { ServerProcess } from './server-process.ts'
import { runWrk, type WrkRun } from './wrk.ts'

/** How webhooks are sent. */
interface Posting {
  readonly changes: number
  readonly connections: number
}

/** A file of webhook requests, and the first of their bodies. */
interface WebhookFile {
  readonly file: string
  readonly sample: readonly Buffer[]
}

/** More bodies are made than the warm-up's speed asks for, so that the measured run does not run out of them. */
const ROOM = 1.5
const BODIES_FACTS_MAX = 3_000_000
const SAMPLE_BYTES_MAX = 8_000_000

/** Acknowledged webhooks of one change, beside what HTTP alone costs. */
export const SINGLE: Posting = { changes: 1, connections: 64 }

export const MANY: readonly Posting[] = [
  { changes: 20, connections: 64 },
  { changes: 1000, connections: 8 },
]

/** Measures bodies of one change, each answered after its commit, also beside a bare server that checks and parses. */
export async function measureSingleWebhooks(bench: Bench, server: ServerProcess): Promise<void> {
  const { requests, run } = await measureFacts(bench, server, SINGLE)
  await using bare = await ServerProcess.start('bench/bare-server.ts', ['webhooks', bench.app_secret])
  const seconds = bench.plan.run_s
  const limit = await runWrk({ url: bare.url + WEBHOOK_PATH, requests, connections: SINGLE.connections, seconds })
  if (limit.refused + limit.broken > 0) bench.report.fail(`the bare server refused ${limit.refused + limit.broken}`)
  const of = 'bare node:http, parse + HMAC'
  const what = `webhooks of 1 change, answered after commit`
  bench.report.add(
    { what, unit: 'requests/s', measured: rate(run), limit: { value: rate(limit), of }, to_reach: 8000 },
    { what: '  p50', unit: 'ms', measured: run.p50_ms, limit: { value: limit.p50_ms, of } },
    { what: '  p99', unit: 'ms', measured: run.p99_ms, limit: { value: limit.p99_ms, of } },
  )
}

/** Measures facts a second through the webhook door: a warm-up, and one run on bodies that never came before. */
export async function measureFacts(
  bench: Bench,
  server: ServerProcess,
  posting: Posting,
): Promise<{ requests: string; run: WrkRun }> {
  const { plan, report } = bench
  const { changes, connections } = posting
  const facts = plan.warm_up_s === 0 ? plan.first_facts : (await warmUp(bench, server, posting)) * plan.run_s * ROOM
  const { file, sample } = writeWebhooks(bench, posting, facts)
  const run = await post(bench, server, posting, file, plan.run_s)
  if (run.repeats > 0) report.remark(`bodies of ${changes} ran out and were sent again: the figure is too good`)
  const limit = measureParseLimit(sample, sample.length * changes, parseBody, plan.limit_ms)
  const what = `webhooks of ${changes} ${changes === 1 ? 'change' : 'changes'}, ${connections} connections`
  const measured = rate(run) * changes
  report.add({ what, unit: 'facts/s', measured, limit: { value: limit, of: PARSE_LIMIT } })
  return { requests: file, run }
}

/** Returns how many facts a second the server took. */
async function warmUp(bench: Bench, server: ServerProcess, posting: Posting): Promise<number> {
  const { file } = writeWebhooks(bench, posting, bench.plan.first_facts)
  return rate(await post(bench, server, posting, file, bench.plan.warm_up_s)) * posting.changes
}

function writeWebhooks({ folder, live, app_secret }: Bench, { changes }: Posting, facts: number): WebhookFile {
  const file = join(folder, 'webhooks.requests')
  const count = Math.ceil(Math.min(facts, BODIES_FACTS_MAX) / changes)
  const sample: Buffer[] = []
  writeRequests(file, requestsOf(takeBodies(live, changes, count), app_secret, sample))
  return { file, sample }
}

function* requestsOf(bodies: Iterable<Buffer>, app_secret: string, sample: Buffer[]): Generator<Buffer> {
  let bytes = 0
  for (const body of bodies) {
    bytes += body.length
    if (bytes < SAMPLE_BYTES_MAX) sample.push(body)
    yield formatWebhookRequest(body, app_secret)
  }
}

/** Sends webhooks, and holds what the server counted against what it answered. */
async function post(
  bench: Bench,
  server: ServerProcess,
  { changes, connections }: Posting,
  file: string,
  seconds: number,
): Promise<WrkRun> {
  const before = await server.readCounts()
  const run = await runWrk({ url: server.url + WEBHOOK_PATH, requests: file, connections, seconds })
  const after = await server.readCounts()
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  const facts = grown('readout_facts_total')
  const answers = grown('readout_requests_total webhooks 200')
  const failures: string[] = []
  if (run.refused + run.broken > 0) failures.push(`${run.refused} refused, ${run.broken} broken`)
  if (facts !== answers * changes) failures.push(`${facts} facts committed for ${answers} answers 200`)
  // What is under way when the load ends is committed, and its answer no longer read.
  if (run.requests > answers || answers > run.requests + connections) {
    failures.push(`${answers} answers 200 given, ${run.requests} received`)
  }
  const lost = grown('readout_facts_parked_total') + grown('readout_changes_rejected_total')
  if (lost > 0) failures.push(`${lost} facts parked or rejected`)
  for (const failure of failures) bench.report.fail(`webhooks of ${changes}: ${failure}`)
  return run
}

export function rate({ requests, seconds }: WrkRun): number {
  return requests / seconds
}

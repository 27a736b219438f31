import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { formatWebhookRequest, takeBodies, WEBHOOK_PATH } from './bodies.ts'
import { measureParseLimit, PARSE_LIMIT, parseBody } from './limits.ts'
import { medianOf, medianRun, repeat } from './median.ts'
import { STEADY_WEBHOOKS_PER_S } from './plan.ts'
import { startServer } from './readout-server.ts'
import { writeRequests } from './requests.ts'
import { ServerProcess } from './server-process.ts'
import { sendSteadily } from './steady.ts'
import { runWrk, type WrkRun } from './wrk.ts'

/** How webhooks are sent. */
interface Posting {
  readonly changes: number
  readonly connections: number
  /** Runs are so many times as long as others: bodies that are under way when one ends do not count. */
  readonly stretch?: number
  readonly ratio_to_reach?: number
}

/** Has something done to a server: always the same one, or one that is started for it. */
type OnServer = <Result>(work: (server: ServerProcess) => Promise<Result>) => Promise<Result>

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

/** Several that come together. */
const SEVERAL: Posting = { changes: 20, connections: 64 }

/** As large as Meta sends them. */
export const BULK = { changes: 1000, connections: 64, stretch: 4, ratio_to_reach: 0.1 } as const satisfies Posting

/**
 * Measures bodies of one change, each answered after its commit, also beside a bare server that checks and parses, and beside one
 * that keeps them in a file as well: what it costs to have them on the disk at all.
 */
export async function measureSingleWebhooks(bench: Bench, server: ServerProcess): Promise<void> {
  const { app_secret, folder, plan, report } = bench
  await using bare = await ServerProcess.start('bench/bare-server.ts', ['webhooks', app_secret])
  await using keeping = await ServerProcess.start('bench/bare-server.ts', [
    'webhooks',
    app_secret,
    join(folder, 'kept'),
  ])
  const { connections } = SINGLE
  const limits: { bare: WrkRun; keeping: WrkRun }[] = []
  const run = await measureFacts(
    bench,
    SINGLE,
    (work) => work(server),
    async (requests) => {
      const ask = ({ url }: ServerProcess) =>
        runWrk({ url: url + WEBHOOK_PATH, connections, seconds: plan.run_s, requests })
      limits.push({ bare: await ask(bare), keeping: await ask(keeping) })
    },
  )
  const limit = medianRun(limits.map((one) => one.bare))
  const kept = medianRun(limits.map((one) => one.keeping))
  const wrong = limit.refused + limit.broken + kept.refused + kept.broken
  if (wrong > 0) report.fail(`the bare servers refused ${wrong}`)
  const of = 'bare node:http, parse + HMAC'
  const ofKept = `${of}, appended to a file and synced`
  const what = 'webhooks of 1 change, answered after commit'
  report.add(
    { what, unit: 'requests/s', measured: rate(run), limit: { value: rate(limit), of }, ratio_to_reach: 0.5 },
    { what: '  p50', unit: 'ms', measured: run.p50_ms, limit: { value: limit.p50_ms, of } },
    { what: '  p99', unit: 'ms', measured: run.p99_ms, limit: { value: limit.p99_ms, of } },
    {
      what: '  beside a file that is synced',
      unit: 'requests/s',
      measured: rate(run),
      limit: { value: rate(kept), of: ofKept },
    },
  )
}

/** Milliseconds within which 99 of 100 webhooks are acknowledged at a steady rate. */
const STEADY_P99_MS = 50

/** Measures how soon webhooks of one change are acknowledged that come at a steady rate, from when each was due. */
export async function measureSteadyWebhooks(bench: Bench, server: ServerProcess): Promise<void> {
  const { plan, live, app_secret, report } = bench
  const bodies = takeBodies(live, 1, STEADY_WEBHOOKS_PER_S * plan.run_s * plan.rounds)
  const requests = Array.from(bodies, (body) => formatWebhookRequest(body, app_secret))
  const steady = await sendSteadily(server.url, requests, STEADY_WEBHOOKS_PER_S)
  if (steady.refused > 0) report.fail(`${steady.refused} webhooks were refused at a steady rate`)
  const took_ms = steady.took_ms.toSorted((a, b) => a - b)
  const part = (share: number) => took_ms[Math.floor(took_ms.length * share)] ?? Number.NaN
  report.add(
    {
      what: `webhooks of 1 change at a steady ${STEADY_WEBHOOKS_PER_S} a second`,
      unit: 'requests/s',
      measured: took_ms.length / steady.seconds,
    },
    { what: '  p50', unit: 'ms', measured: part(0.5) },
    { what: '  p99', unit: 'ms', measured: part(0.99), to_reach: STEADY_P99_MS },
  )
}

/** Measures facts a second in bodies of some changes. */
export async function measureSeveral(bench: Bench, server: ServerProcess): Promise<void> {
  await measureFacts(bench, SEVERAL, (work) => work(server))
}

/**
 * Measures facts a second in the largest bodies. They store more than all others, so each run has a database of its own, where what
 * the others stored is not in its way, and a server; returns the most memory that one of those used,
 * `NaN` where the system does not tell.
 */
export async function measureBulk(bench: Bench, makeDatabase: () => Promise<string>): Promise<number> {
  const peaks: number[] = []
  await measureFacts(bench, BULK, async (work) => {
    await using server = await startServer(bench, await makeDatabase())
    const result = await work(server)
    peaks.push(server.peak_memory_bytes ?? Number.NaN)
    return result
  })
  return Math.max(...peaks)
}

/**
 * Measures facts a second through the webhook door: a warm-up, and runs on bodies that never came before. What is measured
 * beside them is measured after each, on the file of its requests.
 */
export async function measureFacts(
  bench: Bench,
  posting: Posting,
  onServer: OnServer,
  beside: (requests: string) => Promise<void> = async () => {},
): Promise<WrkRun> {
  const { plan, report } = bench
  const { changes, connections, stretch = 1, ratio_to_reach } = posting
  const run_s = plan.run_s * stretch
  const facts = plan.warm_up_s === 0 ? plan.first_facts : (await warmUp(bench, posting, onServer)) * run_s * ROOM
  const limits: number[] = []
  const cpu_us: number[] = []
  const runs = await repeat(plan.rounds, async () => {
    const { file, sample } = writeWebhooks(bench, posting, facts)
    const { run, cpu_us_each } = await onServer((server) => post(bench, server, posting, file, run_s))
    if (cpu_us_each !== undefined) cpu_us.push(cpu_us_each)
    await beside(file)
    limits.push(measureParseLimit(sample, sample.length * changes, parseBody, plan.limit_ms))
    return run
  })
  const run = medianRun(runs)
  if (run.repeats > 0) report.remark(`bodies of ${changes} ran out and were sent again: the figure is too good`)
  report.add(
    {
      what: `webhooks of ${changes} ${changes === 1 ? 'change' : 'changes'}, ${connections} connections`,
      unit: 'facts/s',
      measured: rate(run) * changes,
      limit: { value: medianOf(limits), of: PARSE_LIMIT },
      ...(ratio_to_reach && { ratio_to_reach }),
    },
    { what: '  time of a core, a fact', unit: 'µs', measured: cpu_us.length > 0 ? medianOf(cpu_us) : null },
  )
  return run
}

/** Returns how many facts a second the server took. */
async function warmUp(bench: Bench, posting: Posting, onServer: OnServer): Promise<number> {
  const { file } = writeWebhooks(bench, posting, bench.plan.first_facts)
  const { run } = await onServer((server) => post(bench, server, posting, file, bench.plan.warm_up_s))
  return rate(run) * posting.changes
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

/** What came of sending webhooks, and how long the server's threads ran for each fact; unknown where the system does not tell. */
interface Posted {
  readonly run: WrkRun
  readonly cpu_us_each: number | undefined
}

/** Sends webhooks, and holds what the server counted against what it answered. */
async function post(
  bench: Bench,
  server: ServerProcess,
  { changes, connections }: Posting,
  file: string,
  seconds: number,
): Promise<Posted> {
  const before = await server.readCounts()
  const cpu_before_ms = server.cpu_ms
  const run = await runWrk({ url: server.url + WEBHOOK_PATH, requests: file, connections, seconds })
  const after = await server.readCounts()
  const cpu_after_ms = server.cpu_ms
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
  const isTold = cpu_before_ms !== null && cpu_after_ms !== null && facts > 0
  return { run, cpu_us_each: isTold ? ((cpu_after_ms - cpu_before_ms) * 1000) / facts : undefined }
}

export function rate({ requests, seconds }: WrkRun): number {
  return requests / seconds
}

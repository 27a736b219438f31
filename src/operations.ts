import { createHash, timingSafeEqual } from 'node:crypto'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { HttpDoor, HttpRequest, HttpResponse } from './http.ts'
import type { IntakeCounts } from './ingest/intake.ts'

/** What the operations door shows of the running server. */
export interface Operations {
  readonly queueDepth: () => number
  readonly queueAge_ms: () => number
  /** Since the server started, before the first. */
  readonly sinceLastWebhook_ms: () => number
  /** Why the server cannot serve, if it cannot. */
  readonly unreadyBecause: () => Promise<string | undefined>
  /** Why the database cannot be used, if it cannot. */
  readonly awayBecause: () => Promise<string | undefined>
}

/** Counts of one server since it started, for Prometheus. No label names a tenant. */
export class Metrics {
  readonly registry = new Registry()
  readonly #requests = this.#counter('requests_total', 'Requests answered, by door and HTTP status', ['door', 'status'])
  readonly #facts = this.#counter('facts_total', 'Facts committed, repeats included, by kind', ['kind'])
  readonly #parked = this.#counter(
    'facts_parked_total',
    'Facts that were parked when they came, since their ad was not registered',
  )
  readonly #forgotten = this.#counter('facts_forgotten_total', 'Late facts of forgotten people, refused')
  readonly #pruned = this.#counter('facts_pruned_total', 'Facts that came after what they tell of was pruned, refused')
  readonly #rejected = this.#counter('changes_rejected_total', 'Webhook changes that are no facts, set aside')
  readonly #ignored = this.#counter('changes_ignored_total', 'Webhook changes of other fields')
  readonly #commits = this.#counter('commits_total', 'Groups of webhook bodies committed')
  readonly #failures = this.#counter('commit_failures_total', 'Groups of webhook bodies that have to come again')

  constructor(operations: Operations) {
    collectDefaultMetrics({ register: this.registry })
    this.#gauge('queue_bodies', 'Webhook bodies that wait to be committed', operations.queueDepth)
    this.#gauge('queue_age_seconds', 'How long the oldest of them has waited', () => operations.queueAge_ms() / 1000)
    this.#gauge(
      'last_webhook_age_seconds',
      'Seconds since a webhook was committed; before the first, since the server started',
      () => operations.sinceLastWebhook_ms() / 1000,
    )
  }

  countAnswer(door: string, status: number): void {
    this.#requests.inc({ door, status })
  }

  countTaken(counts: IntakeCounts): void {
    for (const [kind, facts] of Object.entries(counts.facts)) this.#facts.inc({ kind }, facts)
    this.#parked.inc(counts.parked)
    this.#forgotten.inc(counts.forgotten)
    this.#pruned.inc(counts.pruned)
    this.#rejected.inc(counts.rejected)
    this.#ignored.inc(counts.ignored)
    if (counts.committed) this.#commits.inc()
  }

  countFailure(): void {
    this.#failures.inc()
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `readout_${name}`, help, labelNames, registers: [this.registry] })
  }

  #gauge(name: string, help: string, read: () => number): void {
    const registers = [this.registry]
    new Gauge({
      name: `readout_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
}

interface OperationsPath {
  readonly name: string
  readonly meaning: string
  /** What each status says. */
  readonly statuses: Readonly<Record<number, string>>
}

/** The paths of the operations door. */
export const OPERATIONS: ReadonlyMap<string, OperationsPath> = new Map([
  [
    '/healthz',
    {
      name: 'isAlive',
      meaning: 'Whether the server runs.',
      statuses: { 200: 'It does; and why its database cannot be used, if it cannot.' },
    },
  ],
  [
    '/readyz',
    {
      name: 'isReady',
      meaning: 'Whether the server can take requests.',
      statuses: { 200: 'It can.', 503: 'It cannot, and why.' },
    },
  ],
  [
    '/metrics',
    {
      name: 'getMetrics',
      meaning: 'Counts for Prometheus.',
      statuses: {
        200: 'The counts.',
        401: 'The metrics token is missing or wrong.',
        403: 'The server has no metrics token, and can be reached from elsewhere.',
      },
    },
  ],
])

/** Who may see `/metrics`. */
export interface MetricsAccess {
  readonly host: string
  readonly public_url: string | undefined
  readonly metrics_token: string | undefined
}

/** The door of `/healthz`, `/readyz` and `/metrics`. */
export function operationsDoor(operations: Operations, { registry }: Metrics, access: MetricsAccess): HttpDoor {
  return {
    name: 'operations',
    body_bytes_max: 0,
    answerUnread: () => plain(413, 'send no body here'),
    async answer({ path, headers }: HttpRequest): Promise<HttpResponse> {
      if (path === '/metrics') {
        const refusal = refuseMetrics(headers, access)
        if (refusal !== undefined) return refusal
        return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
      }
      // A server whose database is away is alive: it would not come back sooner if it was started again.
      if (path === '/healthz') return plain(200, (await operations.awayBecause()) ?? 'ok')
      const reason = await operations.unreadyBecause()
      return reason === undefined ? plain(200, 'ok') : plain(503, reason)
    },
  }
}

/** What a proxy before us adds to a request from elsewhere. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/** Addresses that only programs of this machine reach. */
export const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|localhost|::1)$/

function refuseMetrics(
  headers: HttpRequest['headers'],
  { host, public_url, metrics_token }: MetricsAccess,
): HttpResponse | undefined {
  if (metrics_token !== undefined) {
    const isShown = isEqual(headers.authorization ?? '', `Bearer ${metrics_token}`)
    return isShown ? undefined : plain(401, 'show the metrics token: Authorization: Bearer TOKEN', CHALLENGE)
  }
  const isOurs = LOOPBACK.test(host) && public_url === undefined && FORWARDED.every((name) => !(name in headers))
  return isOurs ? undefined : plain(403, STRANGER)
}

const STRANGER =
  'without --metrics-token, metrics are open to this machine alone, and to nobody once there is a public URL or a proxy: ' +
  'start the server with --metrics-token'

const CHALLENGE = { 'www-authenticate': 'Bearer realm="metrics"' }

function isEqual(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return x !== undefined && y !== undefined && timingSafeEqual(x, y)
}

function plain(status: number, body: string, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
}

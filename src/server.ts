import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openToOrigins } from './cors.ts'
import { DESCRIPTION_PATH, descriptionDoor } from './description.ts'
import { answer, answerError, type GraphDoor } from './graph/answer.ts'
import { Deputy } from './graph/deputy.ts'
import { Directory } from './graph/directory.ts'
import { BODY_TOO_LARGE, GraphError, UNAVAILABLE } from './graph/error.ts'
import { answerExport } from './graph/report-export.ts'
import { formatRunId } from './graph/report-order.ts'
import { EXPORT_PATH } from './graph/report-run.ts'
import { Reporter } from './graph/reporter.ts'
import { GRAPH_BODY_BYTES_MAX } from './graph/request.ts'
import { RequestLimit } from './graph/request-limit.ts'
import { type HttpDoor, type HttpRequest, type HttpResponse, type HttpServer, openHttp } from './http.ts'
import type { Unread } from './http-body.ts'
import {
  answerSurplusWebhook,
  answerUnreadWebhook,
  answerWebhook,
  WEBHOOK_BODY_BYTES_MAX,
  WEBHOOK_PATH,
  type WebhookDoor,
  type WebhookResponse,
} from './ingest/door.ts'
import { confirmHashKey } from './ingest/pseudonym.ts'
import { Writer, writerWorkers } from './ingest/writer.ts'
import { Metrics, OPERATIONS, type Operations, operationsDoor } from './operations.ts'
import { refuseHalfMoved } from './store/move.ts'
import { describeDatabase, lockStore, openStore, whenThere } from './store/open.ts'
import type { Store } from './store/store.ts'
import { noteWorld } from './store/world.ts'

/** What a server is opened with. */
export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly database: string
  /** Where callers reach us from outside; `next` links start with it. */
  readonly public_url: string | undefined
  readonly app_secrets: readonly string[]
  /** Signs webhooks as well; the sandbox has it, which is no app of Meta's. */
  readonly sandbox_secret?: string | undefined
  readonly verify_token: string | undefined
  /** Answer a Graph call without `appsecret_proof` with an error; one that is there is checked in any case. */
  readonly require_appsecret_proof: boolean
  /** Graph calls of a token in an hour; `undefined` for as many as it likes. */
  readonly request_limit: number | undefined
  readonly hash_key: Uint8Array
  /** Origins whose pages may read answers of the API. */
  readonly cors_origins: readonly string[]
  /** What `/metrics` must be shown; without one, callers of this machine alone see it. */
  readonly metrics_token: string | undefined
  /** Answer a start before 37 months ago with Meta's error, though the days are there. */
  readonly meta_history_limit: boolean
  readonly now: () => Temporal.Instant
  readonly log: Logger
  /** Makes the store ready before the first request can come. */
  readonly prepare: (store: Store) => Promise<void>
  /** The writer, the reporter or the deputy has died: what it does is not done any more. */
  readonly onDeath: (cause: Error) => void
}

export interface ReadoutServer extends AsyncDisposable {
  readonly url: string
  readonly store: Store
}

/** Opens the parts of a server in one column, and closes them in the other direction. */
export async function openServer(config: ServerConfig): Promise<ReadoutServer> {
  await using parts = new AsyncDisposableStack()
  const now_ms = () => config.now().epochMilliseconds
  const { store, lastWebhook_ms } = parts.use(await openWhenThere(config, now_ms))
  const operations = new ServerOperations(store, lastWebhook_ms, now_ms)
  const metrics = new Metrics(operations)
  const writer = parts.use(openWriter(config, operations, metrics, now_ms))
  operations.writer = writer
  const app_secrets = [...config.app_secrets, ...(config.sandbox_secret === undefined ? [] : [config.sandbox_secret])]
  const refusals = new RefusalLog(config.log, now_ms)
  const webhooks = webhookDoor({ ...config, app_secrets, submit: (body) => writer.submit(body) }, writer, refusals)
  const reporter = parts.use(openReporter(config, operations, now_ms))
  const deputy = parts.use(openDeputy(config, operations, now_ms))
  const door = graphDoorOf(store, { reporter, deputy }, config)
  const graph = openToOrigins(graphDoor(door, answer), config.cors_origins)
  const exports = openToOrigins(graphDoor(door, answerExport), config.cors_origins)
  const health = operationsDoor(operations, metrics, config)
  const doors = new Map([
    [WEBHOOK_PATH, webhooks],
    [EXPORT_PATH, exports],
    [DESCRIPTION_PATH, descriptionDoor()],
  ])
  const http = await openHttp({
    ...config,
    doorOf: (path) => (OPERATIONS.has(path) ? health : (doors.get(path.replace(/\/+$/, '')) ?? graph)),
    onAnswer: (door, status) => metrics.countAnswer(door, status),
    onFailure: (cause) => config.log.error({ cause: stackOf(cause) }, 'could not answer a request'),
  })
  parts.use(http)
  return serverOf(http, store, operations, parts.move())
}

interface ReadyStore extends AsyncDisposable {
  readonly store: Store
  /** When the last webhook was committed. */
  readonly lastWebhook_ms: number | undefined
}

/** A database that is away at the start is waited for. */
function openWhenThere(config: ServerConfig, now_ms: () => number): Promise<ReadyStore> {
  const database = describeDatabase(config.database)
  const onAway = (reason: string) =>
    config.log.warn({ reason, database }, 'the database is away: the server waits for it')
  return whenThere(config.database, () => openReady(config, now_ms()), onAway)
}

/** Opens the store and does what comes before the first request. */
async function openReady(config: ServerConfig, now_ms: number): Promise<ReadyStore> {
  await using parts = new AsyncDisposableStack()
  // Before anything of it is touched, or brought up to date: another server may have it.
  parts.use(lockStore(config.database, 'serve'))
  const store = parts.use(await openStore(config.database, { is_locked: true }))
  await refuseHalfMoved(store)
  await confirmHashKey(store, config.hash_key)
  await store.write(({ registry }) => registry.removeForgotten(now_ms))
  await noteWorld(store, process.versions.tz ?? '')
  await config.prepare(store)
  const lastWebhook_ms = await readLastWebhook(store)
  const opened = parts.move()
  return { store, lastWebhook_ms, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** How long the database has to answer whoever asks for the server's health. */
const DATABASE_MS_MAX = 2000

const AWAY = 'the database is away'

/** A message can quote a whole URL. */
const LOGGED_LENGTH_MAX = 500

/** What the operations door shows: it outlives the writer and the listener, so that a stopping server says so. */
class ServerOperations implements Operations {
  writer: Writer | undefined
  isStopping = false
  death: string | undefined
  lastWebhook_ms: number | undefined
  readonly #store: Store
  readonly #now_ms: () => number
  readonly #started_ms: number
  /** The question that the database has not answered yet: there is one at a time. */
  #asked: Promise<string | undefined> | undefined

  constructor(store: Store, lastWebhook_ms: number | undefined, now_ms: () => number) {
    this.#store = store
    this.lastWebhook_ms = lastWebhook_ms
    this.#now_ms = now_ms
    this.#started_ms = now_ms()
  }

  queueDepth = () => this.writer?.depth ?? 0
  queueAge_ms = () => this.writer?.age_ms ?? 0
  sinceLastWebhook_ms = () => this.#now_ms() - (this.lastWebhook_ms ?? this.#started_ms)
  unreadyBecause = async () => this.death ?? (this.isStopping ? 'the server is stopping' : await this.awayBecause())

  awayBecause = async () => {
    this.#asked ??= this.#askDatabase().finally(() => {
      this.#asked = undefined
    })
    return Promise.race([this.#asked, setTimeout(DATABASE_MS_MAX, AWAY, { ref: false })])
  }

  /** Whoever asks may be anyone: where the database is stands in the log. */
  async #askDatabase(): Promise<string | undefined> {
    return this.#store.registry.readVersion().then(
      () => undefined,
      () => AWAY,
    )
  }
}

function openWriter(config: ServerConfig, operations: ServerOperations, metrics: Metrics, now_ms: () => number) {
  const { database, hash_key, log } = config
  const thread = writerWorkers({ database, hash_key, started_at: now_ms() })
  const clock = { now_ms, after: (ms: number, act: () => void) => globalThis.setTimeout(act, ms) }
  return new Writer(thread, clock, {
    onTaken(counts) {
      metrics.countTaken(counts)
      if (counts.committed) operations.lastWebhook_ms = now_ms()
    },
    onFailure(reason) {
      metrics.countFailure()
      log.error({ reason }, 'could not commit webhooks: they are answered 503 and have to come again')
    },
    onNotCaughtUp(reason) {
      log.error({ reason }, 'could not catch up on what was claimed or changed: it is tried again')
    },
    onDeath(cause) {
      operations.death = 'the writer has died'
      log.fatal({ cause: String(cause) }, 'the writer has died')
      config.onDeath(cause)
    },
  })
}

/** How often the same refusal is logged: whoever knocks without a secret is not to fill the disk. */
const REFUSAL_LOGGED_EVERY_MS = 60_000

/** Logs why webhooks are refused, so that a wrong secret is found where one looks first. */
class RefusalLog {
  readonly #log: Logger
  readonly #now_ms: () => number
  readonly #logged = new Map<string, number>()

  constructor(log: Logger, now_ms: () => number) {
    this.#log = log
    this.#now_ms = now_ms
  }

  note({ status, body }: WebhookResponse): void {
    if (status < 400) return
    const last = this.#logged.get(body)
    if (last !== undefined && Math.abs(this.#now_ms() - last) < REFUSAL_LOGGED_EVERY_MS) return
    this.#logged.set(body, this.#now_ms())
    this.#log.warn({ status, reason: body }, 'refused a webhook; the same reason is not logged again for a minute')
  }
}

function webhookDoor(door: WebhookDoor, writer: Writer, refusals: RefusalLog): HttpDoor {
  return {
    name: 'webhooks',
    body_bytes_max: WEBHOOK_BODY_BYTES_MAX,
    // The surplus is not even read: what it costs would be taken from the answers.
    refuse(method, body_bytes) {
      if (method !== 'POST' || writer.hasRoom(body_bytes)) return undefined
      const refusal = answerSurplusWebhook()
      refusals.note(refusal)
      return refusal
    },
    async answer(request) {
      const response = await answerWebhook(request, door)
      refusals.note(response)
      return response
    },
    answerUnread: answerUnreadWebhook,
  }
}

function openReporter(config: ServerConfig, operations: ServerOperations, now_ms: () => number) {
  const { database, meta_history_limit, log } = config
  return new Reporter({ database, meta_history_limit, started_at: now_ms() }, now_ms, {
    onFailure: (reason) => log.error({ reason }, 'could not make a report, or remove those that are too old'),
    onDeath(cause) {
      operations.death = 'the reporter has died'
      log.fatal({ cause: String(cause) }, 'the reporter has died')
      config.onDeath(cause)
    },
  })
}

function openDeputy(config: ServerConfig, operations: ServerOperations, now_ms: () => number) {
  const { database, meta_history_limit } = config
  return new Deputy({ database, meta_history_limit }, now_ms, (cause) => {
    operations.death = 'the deputy has died'
    config.log.fatal({ cause: String(cause) }, 'the deputy has died')
    config.onDeath(cause)
  })
}

function graphDoorOf(
  store: Store,
  threads: { readonly reporter: Reporter; readonly deputy: Deputy },
  config: ServerConfig,
): GraphDoor {
  const { log, request_limit } = config
  return {
    ...config,
    ...threads,
    store,
    directory: new Directory(),
    request_limit: request_limit === undefined ? undefined : new RequestLimit(request_limit),
    newRunId: () => formatRunId(randomBytes(8).readBigUInt64LE()),
    newTraceId: () => `A${randomBytes(16).toString('base64url')}`,
    onRefusal: ({ kind: { code, subcode }, message }, fbtrace_id) =>
      log.info({ fbtrace_id, code, subcode, message: message.slice(0, LOGGED_LENGTH_MAX) }, 'refused a Graph request'),
    onFailure: (cause, fbtrace_id) =>
      log.error({ fbtrace_id, cause: stackOf(cause) }, 'could not answer a Graph request'),
  }
}

const UNREAD: Readonly<Record<Unread, GraphError>> = {
  oversized: new GraphError(BODY_TOO_LARGE, `the body is longer than ${GRAPH_BODY_BYTES_MAX} bytes`),
  crowded: new GraphError(UNAVAILABLE, 'Service temporarily unavailable'),
}

function graphDoor(
  door: GraphDoor,
  answerOne: (request: HttpRequest, door: GraphDoor) => Promise<HttpResponse>,
): HttpDoor {
  return {
    name: 'graph',
    body_bytes_max: GRAPH_BODY_BYTES_MAX,
    answer: (request) => answerOne(request, door),
    answerUnread: (why) => answerError(UNREAD[why], door, 'en'),
  }
}

function serverOf(
  http: HttpServer,
  store: Store,
  operations: ServerOperations,
  parts: AsyncDisposableStack,
): ReadoutServer {
  return {
    url: http.url,
    store,
    async [Symbol.asyncDispose]() {
      operations.isStopping = true
      await parts.disposeAsync()
    },
  }
}

async function readLastWebhook(store: Store): Promise<number | undefined> {
  const pages = await store.arrivals.listPages()
  return pages.length === 0 ? undefined : Math.max(...pages.map(({ last_received_at }) => last_received_at))
}

function stackOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}

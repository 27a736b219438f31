import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { acceptedEncoding, COMPRESS, COMPRESSED_LENGTH_MIN } from './content-encoding.ts'
import { free, hasBody, type LetGo, readBody, type Unread } from './http-body.ts'
import { InFlight } from './in-flight.ts'

/** A request read off the wire. */
export interface HttpRequest {
  readonly method: string
  /** As sent, without the query. */
  readonly path: string
  /** As sent, without the `?`. */
  readonly query: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Given back when it was answered: whoever wants to keep of it what it says makes a copy. */
  readonly body: Uint8Array | undefined
  /** Where the caller reaches us, without a `/` at the end. */
  readonly base_url: string
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text as a whole, or in pieces that are made as the caller takes them. */
  readonly body: string | AsyncIterable<string>
}

/** One door of the server: what answers the paths that lead to it. None of its functions throws. */
export interface HttpDoor {
  readonly name: string
  readonly body_bytes_max: number
  /** The answer to a body of so many bytes that there is no place for: it is not looked at. */
  refuse?(method: string, body_bytes: number): HttpResponse | undefined
  answer(request: HttpRequest): Promise<HttpResponse>
  /** The answer to a body that was not read to its end. */
  answerUnread(why: Unread): HttpResponse
}

export interface HttpOptions {
  readonly host: string
  readonly port: number
  /** Where callers reach us; else it is told by their own headers. */
  readonly public_url: string | undefined
  readonly doorOf: (path: string) => HttpDoor
  readonly onAnswer: (door: string, status: number) => void
  /** Told of a door that threw after all; the caller sees the connection end. */
  readonly onFailure: (cause: unknown) => void
  /** HTTP_LIMITS when left out. */
  readonly limits?: HttpLimits
}

/** What a caller can take of the server before anyone knows who it is. */
export interface HttpLimits {
  /** Request line and headers together; clients put 130 field names in a URL. */
  readonly header_bytes_max: number
  readonly connections_max: number
  /** Of all bodies on their way in; past it, the one that has been longest is let go. */
  readonly bodies_bytes_max: number
  /** Of the answers that callers have not taken yet, in characters; past it, the one that has waited longest is cut off. */
  readonly answers_length_max: number
  /** How long the headers of a request may take to come. */
  readonly headers_ms_max: number
  /** How long a whole request may take to come, its body with it. */
  readonly request_ms_max: number
  /** How long a connection may rest between two requests. */
  readonly keep_alive_ms_max: number
  /** How long nothing may move on a connection that was asked on: its caller is lost, or does not read. */
  readonly silence_ms_max: number
  /** How often it is looked whether a request takes too long to come. */
  readonly check_every_ms: number
}

export const HTTP_LIMITS: HttpLimits = {
  header_bytes_max: 65_536,
  connections_max: 5000,
  bodies_bytes_max: 64 * 1_048_576,
  answers_length_max: 64 * 1_048_576,
  headers_ms_max: 10_000,
  request_ms_max: 60_000,
  // Longer than the proxies that keep theirs for a minute.
  keep_alive_ms_max: 65_000,
  silence_ms_max: 120_000,
  check_every_ms: 1000,
}

/** What every answer says to browsers: nothing here is a page, and no address is to be told on. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

/** An answer that the caller has already; it has no body, and so no length. */
const NOT_MODIFIED = 304

/** The same, of an answer that has none. */
const NO_CONTENT = 204

/** How long a stopping server waits for requests in flight. */
const STOP_MS_MAX = 10_000

/** A listening server; disposing it answers what is in flight, and closes. */
export interface HttpServer extends AsyncDisposable {
  /** `http://host:port`, with the port that was given. */
  readonly url: string
}

/** Opens the server. Clients send bodies with GET and paths with `//`, so requests are read from `node:http` itself. */
export async function openHttp(options: HttpOptions): Promise<HttpServer> {
  const limits = options.limits ?? HTTP_LIMITS
  const bodies = new InFlight<LetGo>(limits.bodies_bytes_max, (letGo) => letGo('crowded'))
  const answers = new InFlight<ServerResponse>(limits.answers_length_max, (res) => res.destroy())
  const serving: Serving = { ...options, bodies, answers }
  const server = createLimited(limits, (req, res) => {
    serve(req, res, serving).catch((cause) => {
      options.onFailure(cause)
      res.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return { url: urlOf(server, options.host), [Symbol.asyncDispose]: () => stop(server) }
}

function createLimited(limits: HttpLimits, listener: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.header_bytes_max,
      headersTimeout: limits.headers_ms_max,
      requestTimeout: limits.request_ms_max,
      keepAliveTimeout: limits.keep_alive_ms_max,
      connectionsCheckingInterval: limits.check_every_ms,
    },
    listener,
  )
  server.maxConnections = limits.connections_max
  return server.setTimeout(limits.silence_ms_max)
}

/** What is under way on all connections, beside what the server was opened with. */
interface Serving extends HttpOptions {
  readonly bodies: InFlight<LetGo>
  readonly answers: InFlight<ServerResponse>
}

async function serve(req: IncomingMessage, res: ServerResponse, serving: Serving): Promise<void> {
  const [path, query] = splitUrl(req.url ?? '/')
  const door = serving.doorOf(path)
  const body_bytes = Number(req.headers['content-length'])
  const refusal = body_bytes <= door.body_bytes_max ? door.refuse?.(req.method ?? '', body_bytes) : undefined
  if (refusal !== undefined) {
    // Dropped as it comes: whoever sends it may not look for an answer before the end.
    req.on('data', free)
    serving.onAnswer(door.name, refusal.status)
    return send(req, res, refusal, serving.answers)
  }
  const body = hasBody(req) ? await readBody(req, door.body_bytes_max, serving.bodies) : undefined
  if (body === 'aborted') return
  const isUnread = typeof body === 'string'
  const response = isUnread ? door.answerUnread(body) : await door.answer(requestOf(req, path, query, body, serving))
  if (body !== undefined && !isUnread) free(body)
  serving.onAnswer(door.name, response.status)
  // What follows an unread body on the same connection would be taken for a request.
  if (isUnread) res.setHeader('connection', 'close')
  await send(req, res, response, serving.answers)
}

async function send(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: HttpResponse,
  answers: InFlight<ServerResponse>,
): Promise<void> {
  if (typeof body !== 'string') return sendPieces(res, status, { ...SAFE_HEADERS, ...headers }, body)
  const vary = headers.vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${headers.vary}`
  if (status === NOT_MODIFIED || status === NO_CONTENT) {
    res.writeHead(status, { ...SAFE_HEADERS, ...headers, vary }).end()
    return
  }
  const isLong = body.length >= COMPRESSED_LENGTH_MIN
  const encoding = isLong ? acceptedEncoding(req.headers['accept-encoding']) : undefined
  if (encoding !== undefined) {
    hold(res, body.length, answers)
    return sendCompressed(res, status, { ...SAFE_HEADERS, ...headers, vary }, body, encoding)
  }
  res.writeHead(status, { ...SAFE_HEADERS, ...headers, vary, 'content-length': Buffer.byteLength(body) }).end(body)
  if (res.writableLength > 0) hold(res, body.length, answers)
}

/**
 * Counts an answer until its caller has taken it. Most have when `end` returns, and are not counted: what is put into a
 * map and out of it for every answer lets old maps keep answers that are gone, and the garbage collector copies those.
 */
function hold(res: ServerResponse, length: number, answers: InFlight<ServerResponse>): void {
  // Whoever has left meanwhile holds nothing, and would never let go of it.
  if (res.destroyed) return
  res.once('close', () => answers.release(res))
  answers.hold(res, length)
}

async function sendCompressed(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  encoding: keyof typeof COMPRESS,
): Promise<void> {
  const bytes = await COMPRESS[encoding](body)
  res.writeHead(status, { ...headers, 'content-encoding': encoding, 'content-length': bytes.length }).end(bytes)
}

/** Sends a body whose pieces are made as the caller takes them. */
async function sendPieces(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  pieces: AsyncIterable<string>,
): Promise<void> {
  res.writeHead(status, headers)
  try {
    await pipeline(pieces, res)
  } catch (cause) {
    if (!hasLeft(cause)) throw cause
  }
}

/** Whether a caller went away before the last piece: no failure of ours. */
function hasLeft(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function requestOf(
  req: IncomingMessage,
  path: string,
  query: string,
  body: Uint8Array | undefined,
  { public_url }: HttpOptions,
): HttpRequest {
  const headers = req.headers as Record<string, string | undefined>
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? 'GET')
  return { method, path, query, headers, body, base_url: public_url ?? baseUrl(headers) }
}

function splitUrl(url: string): [path: string, query: string] {
  const mark = url.indexOf('?')
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
}

const HOST = /^[\w.:[\]-]+$/

/** What the caller, or the first proxy before us, calls us. */
function baseUrl(headers: Readonly<Record<string, string | undefined>>): string {
  const proto = firstOf(headers['x-forwarded-proto'])?.toLowerCase() === 'https' ? 'https' : 'http'
  const host = firstOf(headers['x-forwarded-host']) ?? headers.host ?? ''
  return `${proto}://${HOST.test(host) && URL.canParse(`http://${host}`) ? host : 'localhost'}`
}

/** Each proxy adds what it was called to what the one before it had said. */
function firstOf(list: string | undefined): string | undefined {
  return list?.includes(',') ? list.slice(0, list.indexOf(',')).trim() : list
}

function urlOf(server: Server, host: string): string {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  const late = setTimeout(() => server.closeAllConnections(), STOP_MS_MAX)
  server.closeIdleConnections()
  await closed
  clearTimeout(late)
}

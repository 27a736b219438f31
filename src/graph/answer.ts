import { type Store, StoreBusyError, type Tables } from '../store/store.ts'
import type { Token } from '../store/tokens.ts'
import { answerBatch, isBatch } from './batch.ts'
import { parseCall } from './call.ts'
import { checkPermission, type ProofPolicy, readCaller } from './caller.ts'
import { Afterwards, Budget, type Call, type Context } from './context.ts'
import type { Directory } from './directory.ts'
import {
  formatAuthenticate,
  formatError,
  GraphError,
  REQUEST_LIMIT_REACHED,
  UNAVAILABLE,
  UNKNOWN_ERROR,
} from './error.ts'
import { formatETag, isKnown } from './etag.ts'
import { servedVersion } from './path.ts'
import type { Reporter } from './reporter.ts'
import type { GraphRequest, GraphResponse } from './request.ts'
import { formatUsage, type RequestLimit, type Usage } from './request-limit.ts'
import { findRoute } from './route.ts'

/** What the Graph door needs of the world. */
export interface GraphDoor extends ProofPolicy {
  readonly store: Store
  readonly directory: Directory
  readonly now: () => Temporal.Instant
  /** Answer a start before 37 months ago with Meta's error, though the days are there (design 5). */
  readonly meta_history_limit: boolean
  readonly reporter: Pick<Reporter, 'order'>
  /** Names a report: digits that nobody can guess, by `formatRunId`. */
  readonly newRunId: () => string
  /** How often a token may call; `undefined` for as often as it likes. */
  readonly request_limit: RequestLimit | undefined
  /** Names an error answer, so that it can be found in the log. */
  readonly newTraceId: () => string
  /** Told of every error that a caller is answered with. */
  readonly onRefusal: (error: GraphError, fbtrace_id: string) => void
  /** Told of every failure that is ours and not the caller's. */
  readonly onFailure: (cause: unknown, fbtrace_id: string) => void
}

const HEADERS = {
  'content-type': 'application/json; charset=UTF-8',
  'cache-control': 'private, no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  expires: 'Sat, 01 Jan 2000 00:00:00 GMT',
}

/** Answers one Graph request. Never throws: every failure is an answer in Meta's envelope (contract 7). */
export async function answer(request: GraphRequest, door: GraphDoor): Promise<GraphResponse> {
  try {
    const call = await parseCall(request)
    return await (isBatch(call) ? answerItems(call, door) : answerCall(call, door))
  } catch (error) {
    return withVersion(answerError(error, door), request.path)
  }
}

/** The answer that stands for an error: a GraphError as it is, any other as an unknown one, with its cause in the log. */
export function answerError(error: unknown, door: GraphDoor, usage?: Usage): GraphResponse {
  const fbtrace_id = door.newTraceId()
  const known = error instanceof GraphError ? error : new GraphError(UNKNOWN_ERROR, 'An unknown error occurred')
  if (known === error) door.onRefusal(known, fbtrace_id)
  else door.onFailure(error, fbtrace_id)
  const trace = { 'www-authenticate': formatAuthenticate(known), 'x-fb-trace-id': fbtrace_id }
  const headers = { ...HEADERS, ...formatUsage(usage), ...trace }
  return { status: known.kind.status, headers, body: formatError(known, fbtrace_id) }
}

/** The batch itself needs a token that is right; each item is then a call of its own. */
async function answerItems(batch: Call, door: GraphDoor): Promise<GraphResponse> {
  await door.store.read((tables) => openCaller(tables, batch, door))
  const answers = await answerBatch(
    batch,
    (item) => answerCall(item, door),
    (error) => withVersion(answerError(error, door), batch.path.version),
  )
  const headers = { ...HEADERS, ...formatUsage(undefined) }
  return withVersion({ status: 200, headers, body: JSON.stringify(answers) }, batch.path.version)
}

/** Answers one call, of its own or of a batch, within one transaction. */
async function answerCall(call: Call, door: GraphDoor): Promise<GraphResponse> {
  let usage: Usage | undefined
  const onUsage = (known: Usage | undefined) => {
    usage = known
  }
  try {
    return formatAnswer(call, await answerWithin(call, door, onUsage), usage)
  } catch (error) {
    return withVersion(answerError(error, door, usage), call.path.version)
  }
}

/**
 * The body of an answer. Who calls is read first, and in the transaction that answers: nobody takes the place of the
 * writer without a token that may write.
 */
async function answerWithin(call: Call, door: GraphDoor, onUsage: (usage: Usage | undefined) => void): Promise<string> {
  const route = findRoute(call)
  const isReading = route.permission === 'read'
  const answerAs = (token: Token, tables: Tables) => route.answer(contextOf(tables, call, token, door))
  const read = await door.store.read(async (tables) => {
    const token = await openCaller(tables, call, door)
    const usage = door.request_limit?.count(token.token_hash, door.now().epochMilliseconds)
    onUsage(usage)
    if (usage?.isPast) throw new GraphError(REQUEST_LIMIT_REACHED, 'User request limit reached')
    checkPermission(token, route.permission)
    return isReading ? answerAs(token, tables) : undefined
  })
  const answered = isReading
    ? read
    : await door.store
        .write(async (tables) => answerAs(await openCaller(tables, call, door), tables))
        .catch(asUnavailable)
  return JSON.stringify(answered instanceof Afterwards ? await answered.run() : answered)
}

function asUnavailable(error: unknown): never {
  if (error instanceof StoreBusyError) throw new GraphError(UNAVAILABLE, 'Service temporarily unavailable')
  throw error
}

async function openCaller(tables: Tables, call: Call, door: GraphDoor) {
  await door.directory.open(tables)
  return readCaller(tables, call, door.directory, door)
}

function contextOf(tables: Tables, call: Call, token: Token, door: GraphDoor): Context {
  return { ...door, call, token, tables, now: door.now(), budget: new Budget(), above: new Map() }
}

/** An answer that the caller has already goes without its body (contract 8). */
function formatAnswer({ method, path, headers }: Call, body: string, usage: Usage | undefined): GraphResponse {
  const version = { 'facebook-api-version': servedVersion(path.version) }
  if (method !== 'GET') return { status: 200, headers: { ...HEADERS, ...formatUsage(usage), ...version }, body }
  const etag = formatETag(body)
  const isOld = isKnown(etag, headers['if-none-match'])
  const all = { ...HEADERS, ...formatUsage(usage), etag, ...version }
  return isOld ? { status: 304, headers: all, body: '' } : { status: 200, headers: all, body }
}

function withVersion(response: GraphResponse, path: string): GraphResponse {
  return { ...response, headers: { ...response.headers, 'facebook-api-version': servedVersion(path) } }
}

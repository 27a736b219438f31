import { type Store, StoreUnavailableError, type Tables } from '../store/store.ts'
import { answerBatch, isBatch } from './batch.ts'
import { Budget, TooLongHere } from './budget.ts'
import { parseCall } from './call.ts'
import { type CallerDoor, checkPermission, readCaller } from './caller.ts'
import type { Call, Context } from './context.ts'
import type { Deputy } from './deputy.ts'
import { type Errand, formatBody } from './errand.ts'
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
import type { RequestLimit } from './request-limit.ts'
import { findRoute } from './route.ts'
import { type Business, findBusiness, formatUsage, NO_USAGE, type UsageHeaders } from './usage.ts'
import { type Language, languageAsked, parseLanguage } from './user-text.ts'

/** What the Graph door needs of the world. */
export interface GraphDoor extends CallerDoor {
  readonly store: Store
  readonly now: () => Temporal.Instant
  /** Answer a start before 37 months ago with Meta's error, though the days are there (design 5). */
  readonly meta_history_limit: boolean
  readonly reporter: Pick<Reporter, 'order'>
  readonly deputy: Pick<Deputy, 'answer'>
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
    const language = languageAsked(request.query)
    return withVersion(answerError(error, door, language), request.path)
  }
}

/** The answer that stands for an error: a GraphError as it is, any other as an unknown one, with its cause in the log. */
export function answerError(
  error: unknown,
  door: GraphDoor,
  language: Language,
  usage: UsageHeaders = NO_USAGE,
): GraphResponse {
  const fbtrace_id = door.newTraceId()
  const known = error instanceof GraphError ? error : errorOfOurs(error)
  if (known === error) door.onRefusal(known, fbtrace_id)
  else door.onFailure(error, fbtrace_id)
  const trace = { 'www-authenticate': formatAuthenticate(known), 'x-fb-trace-id': fbtrace_id }
  const headers = { ...HEADERS, ...usage, ...trace }
  return { status: known.kind.status, headers, body: formatError(known, fbtrace_id, language) }
}

/** A failure of ours, as callers see it: what passes is told so, and may be asked again. */
function errorOfOurs(error: unknown): GraphError {
  if (error instanceof StoreUnavailableError) return new GraphError(UNAVAILABLE, 'Service temporarily unavailable')
  return new GraphError(UNKNOWN_ERROR, 'An unknown error occurred')
}

/** The batch itself needs a token that is right; each item is then a call of its own. */
async function answerItems(batch: Call, door: GraphDoor): Promise<GraphResponse> {
  await door.store.read((tables) => openContext(tables, batch, door))
  const answers = await answerBatch(
    batch,
    (item) => answerCall(item, door),
    (error) => withVersion(answerError(error, door, languageOf(batch)), batch.path.version),
  )
  const headers = { ...HEADERS, ...NO_USAGE }
  return withVersion({ status: 200, headers, body: JSON.stringify(answers) }, batch.path.version)
}

/** Answers one call, of its own or of a batch, within one transaction. */
async function answerCall(call: Call, door: GraphDoor): Promise<GraphResponse> {
  let usage = NO_USAGE
  const onUsage = (known: UsageHeaders) => {
    usage = known
  }
  try {
    return formatAnswer(call, await answerWithin(call, door, onUsage), usage)
  } catch (error) {
    return withVersion(answerError(error, door, languageOf(call), usage), call.path.version)
  }
}

/**
 * The body of an answer, made here where that is quick, and else by the deputy: who calls is read here in any case, so
 * that nobody takes the place of the writer without a token that may write.
 */
async function answerWithin(call: Call, door: GraphDoor, onUsage: (usage: UsageHeaders) => void): Promise<string> {
  const route = findRoute(call)
  const answerHere = await door.store.read(async (tables) => {
    const context = await openContext(tables, call, door)
    const { token, now } = context
    countCall(door, { token, now, business: await findBusiness(context) }, onUsage)
    checkPermission(token, route.permission)
    const leave = () => leaveToDeputy({ call, token, now_ms: now.epochMilliseconds, run_id: door.newRunId() }, door)
    if (route.permission !== 'read') return leave
    try {
      const answered = await route.answer(context)
      return () => formatBody(answered, call, route.parameters)
    } catch (error) {
      if (error instanceof TooLongHere) return leave
      throw error
    }
  })
  return answerHere()
}

/** Reports are ordered by the server, whoever found out what is asked for. */
async function leaveToDeputy(errand: Errand, { deputy, reporter }: GraphDoor): Promise<string> {
  const { body, orders } = await deputy.answer(errand)
  await Promise.all(orders.map((order) => reporter.order(order)))
  return body
}

/** Counts a call, and tells what is used; throws code 17 past the limit. */
export function countCall(
  { request_limit }: GraphDoor,
  { token, now, business }: Pick<Context, 'token' | 'now'> & { readonly business: Business | undefined },
  onUsage: (usage: UsageHeaders) => void,
): void {
  const usage = request_limit?.count(token.token_hash, now.epochMilliseconds)
  onUsage(formatUsage(usage, business))
  if (usage?.isPast) throw new GraphError(REQUEST_LIMIT_REACHED, 'User request limit reached')
}

async function openContext(tables: Tables, call: Call, door: GraphDoor): Promise<Context> {
  await door.directory.open(tables)
  const { directory, meta_history_limit, reporter, newRunId } = door
  const now = door.now()
  const token = await readCaller(tables, call, door, now.epochMilliseconds)
  const context = { call, token, tables, directory, now, meta_history_limit, reporter, newRunId }
  return { ...context, budget: Budget.quick(), above: new Map() }
}

/** An answer that the caller has already goes without its body (contract 8). */
function formatAnswer({ method, path, headers }: Call, body: string, usage: UsageHeaders): GraphResponse {
  const version = { 'facebook-api-version': path.served_version }
  if (method !== 'GET') return { status: 200, headers: { ...HEADERS, ...usage, ...version }, body }
  const etag = formatETag(body)
  const isOld = isKnown(etag, headers['if-none-match'])
  const all = { ...HEADERS, ...usage, etag, ...version }
  return isOld ? { status: 304, headers: all, body: '' } : { status: 200, headers: all, body }
}

function languageOf({ parameters }: Call): Language {
  return parseLanguage(parameters.get('locale'))
}

function withVersion(response: GraphResponse, path: string): GraphResponse {
  return { ...response, headers: { ...response.headers, 'facebook-api-version': servedVersion(path) } }
}

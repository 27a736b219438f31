import type { Node } from '../store/registry.ts'
import type { Store, Tables } from '../store/store.ts'
import type { Directory } from './directory.ts'
import { parseText, type Value } from './encoding.ts'
import {
  ALIAS_MISSING,
  formatAuthenticate,
  formatError,
  GraphError,
  INVALID_PARAMETER,
  OBJECT_MISSING,
  PATH_UNKNOWN,
  TOKEN_MISSING,
  TOKEN_UNKNOWN,
  UNKNOWN_ERROR,
  UNSUPPORTED_REQUEST,
} from './error.ts'
import { readInsights } from './insights.ts'
import { parseInsightsQuery } from './insights-parameters.ts'
import { takePage } from './paging.ts'
import { type Parameters, parseParameters } from './parameters.ts'
import { type GraphPath, parsePath, servedVersion, unknownPath } from './path.ts'
import { isReportAsked, orderReport } from './report-order.ts'
import { answerRun, readVisibleRun } from './report-run.ts'
import type { Reporter } from './reporter.ts'
import type { GraphRequest, GraphResponse } from './request.ts'

/** What the Graph door needs of the world. */
export interface GraphDoor {
  readonly store: Store
  readonly directory: Directory
  readonly now: () => Temporal.Instant
  /** Answer a start before 37 months ago with Meta's error, though the days are there (design 5). */
  readonly meta_history_limit: boolean
  readonly reporter: Pick<Reporter, 'order'>
  /** Names a report: digits that nobody can guess, by `formatRunId`. */
  readonly newRunId: () => string
  /** Names an error answer, so that it can be found in the log. */
  readonly newTraceId: () => string
  /** Told of every failure that is ours and not the caller's. */
  readonly onFailure: (cause: unknown, fbtrace_id: string) => void
}

const HEADERS = {
  'content-type': 'application/json; charset=UTF-8',
  'cache-control': 'private, no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  expires: 'Sat, 01 Jan 2000 00:00:00 GMT',
  // Airbyte's source dies without it on the first answer (contract 8). We have no quota, so nothing of it is used.
  'x-fb-ads-insights-throttle': '{"app_id_util_pct":0,"acc_id_util_pct":0,"ads_api_access_tier":"standard_access"}',
}

/** Answers one Graph request. Never throws: every failure is an answer in Meta's envelope (contract 7). */
export async function answer(request: GraphRequest, door: GraphDoor): Promise<GraphResponse> {
  const version = { 'facebook-api-version': servedVersion(request.path) }
  try {
    const path = parsePath(request.path)
    const parameters = parseParameters(request)
    const answered = await door.store.read((tables) => answerWithin(tables, request, path, parameters, door))
    const body = typeof answered === 'string' ? answered : await answered()
    return { status: 200, headers: { ...HEADERS, ...version }, body }
  } catch (error) {
    const response = answerError(error, door)
    return { ...response, headers: { ...response.headers, ...version } }
  }
}

/** The answer that stands for an error: a GraphError as it is, any other as an unknown one, with its cause in the log. */
export function answerError(error: unknown, { newTraceId, onFailure }: GraphDoor): GraphResponse {
  const fbtrace_id = newTraceId()
  const known = error instanceof GraphError ? error : new GraphError(UNKNOWN_ERROR, 'An unknown error occurred')
  if (known !== error) onFailure(error, fbtrace_id)
  const headers = { ...HEADERS, 'www-authenticate': formatAuthenticate(known), 'x-fb-trace-id': fbtrace_id }
  return { status: known.kind.status, headers, body: formatError(known, fbtrace_id) }
}

/** The body of an answer, or what is still to be done for it when the transaction has ended. */
type Answered = string | (() => Promise<string>)

async function answerWithin(
  tables: Tables,
  request: GraphRequest,
  path: GraphPath,
  parameters: Parameters,
  { directory, now, meta_history_limit, reporter, newRunId }: GraphDoor,
): Promise<Answered> {
  await directory.open(tables)
  const token = await readToken(tables, request, parameters, path, directory)
  const address = { base_url: request.base_url, path: path.normal, parameters }
  const run = await readVisibleRun(tables, path.id ?? '', token.accounts, now().epochMilliseconds)
  if (run !== undefined && request.method === 'GET') {
    return JSON.stringify(await answerRun(tables, run, path.edge, address))
  }
  const node = await readVisibleNode(tables, request.method, path.id, token.accounts, directory)
  if (path.edge === undefined) throw missingObject(request.method, path.id ?? '')
  if (path.edge !== 'insights') throw unknownPath([path.edge])
  if (request.method !== 'GET' && request.method !== 'POST') throw methodRefused(request.method)
  const source = { tables, directory, now: now(), meta_history_limit }
  if (isReportAsked(request.method, parameters)) {
    const order = await orderReport(source, node, path.id ?? '', parameters, newRunId())
    return () => reporter.order(order).then(() => JSON.stringify({ report_run_id: order.run_id }))
  }
  const query = parseInsightsQuery(parameters)
  const { rows, summary, write } = await readInsights(source, node, query)
  return JSON.stringify({ ...(await takePage(rows, query.page, address, write)), summary })
}

function methodRefused(method: string): GraphError {
  return new GraphError(
    INVALID_PARAMETER,
    `${method} is not answered by this version of Readout: send GET, or POST for a report`,
  )
}

/** The token of the query or the body, else of the header (contract 9.1). */
export async function readToken(
  tables: Tables,
  { headers }: GraphRequest,
  parameters: Parameters,
  { id }: Pick<GraphPath, 'id'>,
  directory: Directory,
) {
  const text = textOf(parameters.get('access_token')) ?? bearer(headers.authorization)
  if (text === undefined) throw missingToken(id)
  const token = await directory.readToken(tables, text)
  if (token !== undefined) return token
  throw new GraphError(TOKEN_UNKNOWN, 'Invalid OAuth access token - Cannot parse access token')
}

function missingToken(id: string | undefined): GraphError {
  if (id !== 'me') return new GraphError(TOKEN_MISSING, 'An access token is required to request this resource.')
  const message = 'An active access token must be used to query information about the current user.'
  return new GraphError(PATH_UNKNOWN, message)
}

function bearer(authorization: string | undefined): string | undefined {
  return /^(?:Bearer|OAuth) +(\S+)\s*$/i.exec(authorization ?? '')?.[1]
}

function textOf(value: Value | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? parseText(value) : undefined
}

/** A node outside the token's accounts is missing, and told so in the same words as one that never was (design 7). */
async function readVisibleNode(
  tables: Tables,
  method: string,
  id: string | undefined,
  accounts: ReadonlySet<number>,
  directory: Directory,
): Promise<Node> {
  if (id === undefined) throw new GraphError(UNSUPPORTED_REQUEST, `Unsupported ${method.toLowerCase()} request.`)
  if (!/^(?:act_)?\d+$/.test(id)) {
    throw new GraphError(ALIAS_MISSING, `Some of the aliases you requested do not exist: ${id}`)
  }
  const node = await directory.readNode(tables, id)
  if (node === undefined || !accounts.has(node.account)) throw missingObject(method, id)
  return node
}

export function missingObject(method: string, id: string): GraphError {
  return new GraphError(
    OBJECT_MISSING,
    `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded due to missing ` +
      'permissions, or does not support this operation. Please read the Graph API documentation at ' +
      'https://developers.facebook.com/docs/graph-api',
  )
}

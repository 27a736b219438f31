import type { Permission } from '../store/tokens.ts'
import { Afterwards, type Call, type Context } from './context.ts'
import { debugToken } from './debug-token.ts'
import { EDGES, findEdge } from './edge.ts'
import { answerMany } from './many.ts'
import { deleteCampaign, registerCampaign } from './message-campaign.ts'
import { missingObject, readSubject, readVisibleNode } from './node.ts'
import { readInsightsPage } from './node-insights.ts'
import { parseNodeFields, readEdge, readFields } from './node-reader.ts'
import type { PageAddress } from './paging.ts'
import { unknownPath } from './path.ts'
import { isReportAsked, orderReport } from './report-order.ts'
import { answerRun, findVisibleRun } from './report-run.ts'

/** What a path of a method leads to. What changes something is answered in a writing transaction. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With `{id}` and `{edge}` for any, and `{list}` for the name of one; the first route that fits is taken. */
  readonly path: string
  readonly permission: Permission
  /** What it answers, for the reference page. */
  readonly meaning: string
  /** The answer, before it is JSON. Throws a GraphError. */
  readonly answer: (context: Context) => Promise<unknown>
}

export const ROUTES: readonly Route[] = [
  reads('/', 'The nodes that `ids` names, as one object with a key for each.', (context) =>
    answerMany(context, answerNode),
  ),
  reads('/insights', 'The insights of each node that `ids` names.', (context) => answerMany(context, answerInsights)),
  reads('/{list}', 'That list of each node that `ids` names.', (context) => answerMany(context, answerEdge)),
  reads('/debug_token', 'What the token in `input_token` may do, and for which ad accounts.', debugToken),
  reads('/{id}/insights', 'What was counted for an ad account, a campaign, an ad set or an ad.', answerInsights),
  reads('/{id}/{edge}', 'A list of nodes.', answerEdge),
  reads('/{id}', 'A node with the fields asked; `me` is the user that the token stands for.', answerNode),
  changes('POST', '/{id}/insights', 'read', 'Starts a report of the same.', answerReport),
  changes('POST', '/{id}/message_campaign', 'write', 'Registers a campaign that was made at Meta.', registerCampaign),
  changes('DELETE', '/{id}', 'write', 'Takes a campaign off the lists; its insights stay.', deleteCampaign),
]

function reads(path: string, meaning: string, answer: Route['answer']): Route {
  return { method: 'GET', path, permission: 'read', meaning, answer }
}

function changes(
  method: Route['method'],
  path: string,
  permission: Permission,
  meaning: string,
  answer: Route['answer'],
): Route {
  return { method, path, permission, meaning, answer }
}

/** What no route fits: the node is looked at first, so that nobody learns of another tenant's. */
const NOWHERE: Omit<Route, 'method' | 'path'> = {
  permission: 'read',
  meaning: 'An error.',
  async answer(context) {
    const { method, path } = context.call
    await readVisibleNode(context, path.id)
    throw path.edge === undefined ? missingObject(method, path.id ?? '') : unknownPath([path.edge])
  },
}

/** The routes, each with the parts of its path. */
const PATTERNS = ROUTES.map((route) => {
  const [id, edge] = route.path.split('/').filter((part) => part !== '')
  return { route, id, edge }
})

export function findRoute({ method, path }: Call): Omit<Route, 'method' | 'path'> {
  const found = PATTERNS.find(
    ({ route, id, edge }) => route.method === method && fits(id, path.id) && fits(edge, path.edge),
  )
  return found?.route ?? NOWHERE
}

function fits(wanted: string | undefined, part: string | undefined): boolean {
  if (wanted === '{list}') return EDGES.some(({ name }) => name === part)
  return wanted?.startsWith('{') ? part !== undefined : wanted === part
}

async function answerNode(context: Context): Promise<unknown> {
  const { path, parameters } = context.call
  const run = await findVisibleRun(context, path.id ?? '')
  if (run !== undefined) return answerRun(context.tables, run, undefined, addressOf(context))
  const subject = await readSubject(context, path.id ?? '')
  return readFields(context, subject, parseNodeFields(parameters.get('fields')))
}

async function answerEdge(context: Context): Promise<unknown> {
  const { path, parameters } = context.call
  const run = await findVisibleRun(context, path.id ?? '')
  if (run !== undefined) return answerRun(context.tables, run, path.edge, addressOf(context))
  const subject = await readSubject(context, path.id ?? '')
  const edge = findEdge(subject.level, path.edge ?? '')
  if (edge === undefined) throw unknownPath([path.edge ?? ''])
  const fields = parseNodeFields(parameters.get('fields'))
  return readEdge(context, subject, edge, fields, parameters, addressOf(context))
}

async function answerInsights(context: Context): Promise<unknown> {
  const { path, parameters } = context.call
  const run = await findVisibleRun(context, path.id ?? '')
  if (run !== undefined) return answerRun(context.tables, run, path.edge, addressOf(context))
  if (isReportAsked('GET', parameters)) return answerReport(context)
  const node = await readVisibleNode(context, path.id)
  return readInsightsPage(context, node, parameters, addressOf(context))
}

/** Whoever asks for a report waits for the reporter, and not within the transaction. */
async function answerReport(context: Context): Promise<Afterwards> {
  const { path, parameters } = context.call
  const node = await readVisibleNode(context, path.id)
  const order = await orderReport(context, node, path.id ?? '', parameters, context.newRunId())
  return new Afterwards(async () => {
    await context.reporter.order(order)
    return { report_run_id: order.run_id }
  })
}

function addressOf({ call: { path, parameters, base_url } }: Context): PageAddress {
  return { base_url, path: path.normal, parameters }
}

import { Afterwards, type Call, type Context } from './context.ts'
import { DEBUG_TOKEN_PARAMETERS, debugToken } from './debug-token.ts'
import { EDGE_PARAMETERS, EDGES, findEdge } from './edge.ts'
import type { Endpoint } from './endpoint.ts'
import { EXCHANGE_PARAMETERS, EXCHANGED_TOKEN, exchangeToken } from './exchange-token.ts'
import { INSIGHTS_PARAMETERS } from './insights-parameters.ts'
import { answerMany, IDS } from './many.ts'
import { CAMPAIGN_PARAMETERS, deleteCampaign, registerCampaign } from './message-campaign.ts'
import { missingObject, readSubject, readVisibleNode } from './node.ts'
import { NODE_PARAMETERS } from './node-fields.ts'
import { readInsightsPage } from './node-insights.ts'
import { parseNodeFields, readEdge, readFields } from './node-reader.ts'
import type { PageAddress } from './paging.ts'
import { unknownPath } from './path.ts'
import { isReportAsked, orderReport } from './report-order.ts'
import { answerRun, findVisibleRun } from './report-run.ts'
import { anyOf, BOOLEAN, OBJECT, objectOf, schemaNamed, TEXT } from './schema.ts'

/** What a path leads to, the first that fits. What changes something is answered in a writing transaction. */
export interface Route extends Endpoint {
  /** The answer, before it is JSON. Throws a GraphError. */
  readonly answer: (context: Context) => Promise<unknown>
}

/** Rows, or the report that an export starts. */
const INSIGHTS = anyOf(schemaNamed('InsightsPage'), schemaNamed('ReportStarted'))

const READS = { method: 'GET', permission: 'read' } as const

export const ROUTES: readonly Route[] = [
  {
    ...READS,
    path: '/',
    name: 'getNodes',
    meaning: 'The nodes that `ids` names, as one object with a key for each.',
    parameters: [IDS, ...NODE_PARAMETERS],
    response: { type: 'object', additionalProperties: schemaNamed('Node') },
    answer: (context) => answerMany(context, answerNode),
  },
  {
    ...READS,
    path: '/insights',
    name: 'getInsightsOfMany',
    meaning: 'The insights of each node that `ids` names.',
    parameters: [IDS, ...INSIGHTS_PARAMETERS],
    response: { type: 'object', additionalProperties: INSIGHTS },
    answer: (context) => answerMany(context, answerInsights),
  },
  {
    ...READS,
    path: '/{list}',
    name: 'listOfMany',
    meaning: 'That list of each node that `ids` names.',
    parameters: [IDS, ...EDGE_PARAMETERS],
    response: OBJECT,
    answer: (context) => answerMany(context, answerEdge),
  },
  {
    ...READS,
    path: '/debug_token',
    name: 'debugToken',
    meaning: 'What the token in `input_token` may do, and for which ad accounts.',
    parameters: DEBUG_TOKEN_PARAMETERS,
    response: schemaNamed('DebuggedToken'),
    answer: debugToken,
  },
  {
    ...READS,
    path: '/oauth/access_token',
    name: 'exchangeToken',
    meaning: 'The token in `fb_exchange_token`, which lasts as long as it did.',
    parameters: EXCHANGE_PARAMETERS,
    response: EXCHANGED_TOKEN,
    answer: exchangeToken,
  },
  {
    ...READS,
    path: '/me',
    name: 'getMe',
    meaning: 'The user that the token stands for.',
    parameters: NODE_PARAMETERS,
    response: schemaNamed('User'),
    answer: answerNode,
  },
  {
    ...READS,
    path: '/{id}/insights',
    name: 'getInsights',
    meaning: 'What was counted for an ad account, a campaign, an ad set or an ad; or the rows of a report.',
    parameters: INSIGHTS_PARAMETERS,
    response: INSIGHTS,
    answer: answerInsights,
  },
  {
    ...READS,
    path: '/{id}/{edge}',
    name: 'list',
    meaning: 'A list of nodes.',
    parameters: EDGE_PARAMETERS,
    response: OBJECT,
    answer: answerEdge,
  },
  {
    ...READS,
    path: '/{id}',
    name: 'getNode',
    meaning: 'A node, or a report, with the fields asked.',
    parameters: NODE_PARAMETERS,
    response: anyOf(schemaNamed('Node'), schemaNamed('AdReportRun')),
    answer: answerNode,
  },
  {
    method: 'POST',
    path: '/{id}/insights',
    name: 'startReport',
    permission: 'read',
    meaning: 'Starts a report of the same.',
    parameters: INSIGHTS_PARAMETERS,
    response: schemaNamed('ReportStarted'),
    answer: answerReport,
  },
  {
    method: 'POST',
    path: '/{id}/message_campaign',
    name: 'registerCampaign',
    permission: 'write',
    meaning: 'Registers a campaign that was made at Meta.',
    parameters: CAMPAIGN_PARAMETERS,
    response: objectOf({ id: TEXT }, ['id']),
    answer: registerCampaign,
  },
  {
    method: 'DELETE',
    path: '/{id}',
    name: 'deleteCampaign',
    permission: 'write',
    meaning: 'Takes a campaign off the lists; its insights stay.',
    parameters: [],
    response: objectOf({ success: BOOLEAN }, ['success']),
    answer: deleteCampaign,
  },
]

/** What a call leads to. */
type Found = Pick<Route, 'permission' | 'parameters' | 'answer'>

/** What no route fits: the node is looked at first, so that nobody learns of another tenant's. */
const NOWHERE: Found = {
  permission: 'read',
  parameters: [],
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

export function findRoute({ method, path }: Call): Found {
  const found = PATTERNS.find(
    ({ route, id, edge }) => route.method === method && fits(edge, path.edge) && fits(id, path.id),
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
  if (run !== undefined) return answerRun(context, run, undefined, addressOf(context))
  const subject = await readSubject(context, path.id ?? '')
  return readFields(context, subject, parseNodeFields(parameters.get('fields')))
}

async function answerEdge(context: Context): Promise<unknown> {
  const { path, parameters } = context.call
  const run = await findVisibleRun(context, path.id ?? '')
  if (run !== undefined) return answerRun(context, run, path.edge, addressOf(context))
  const subject = await readSubject(context, path.id ?? '')
  const edge = findEdge(subject.level, path.edge ?? '')
  if (edge === undefined) throw unknownPath([path.edge ?? ''])
  const fields = parseNodeFields(parameters.get('fields'))
  return readEdge(context, subject, edge, fields, parameters, addressOf(context))
}

async function answerInsights(context: Context): Promise<unknown> {
  const { path, parameters } = context.call
  const run = await findVisibleRun(context, path.id ?? '')
  if (run !== undefined) return answerRun(context, run, path.edge, addressOf(context))
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

import type { Permission } from '../store/tokens.ts'
import type { Call, Context } from './context.ts'
import { debugToken } from './debug-token.ts'
import { findEdge } from './edge.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { readMany } from './many.ts'
import { deleteCampaign, registerCampaign } from './message-campaign.ts'
import { missingObject, readSubject, readVisibleNode } from './node.ts'
import { readInsightsPage } from './node-insights.ts'
import { parseNodeFields, readEdge, readFields } from './node-reader.ts'
import { unknownPath } from './path.ts'

/** What a path of a method leads to. What changes something is answered in a writing transaction. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With `{id}` and `{edge}` for any; the first route that fits is taken. */
  readonly path: string
  readonly permission: Permission
  /** What it answers, for the reference page. */
  readonly meaning: string
  /** The answer, before it is JSON. Throws a GraphError. */
  readonly answer: (context: Context) => Promise<unknown>
}

export const ROUTES: readonly Route[] = [
  reads('/', 'The nodes that `ids` names, as one object with a key for each.', readMany),
  reads('/debug_token', 'What the token in `input_token` may do, and for which ad accounts.', debugToken),
  reads('/{id}/insights', 'What was counted for an ad account, a campaign, an ad set or an ad.', answerInsights),
  reads('/{id}/{edge}', 'A list of nodes.', answerEdge),
  reads('/{id}', 'A node with the fields asked; `me` is the user that the token stands for.', answerNode),
  // Reports start here, once they are answered.
  changes('POST', '/{id}/insights', 'read', 'Not answered by this version.', refuseReport),
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
  return wanted?.startsWith('{') ? part !== undefined : wanted === part
}

async function answerNode(context: Context): Promise<unknown> {
  const { path, parameters } = context.call
  const subject = await readSubject(context, path.id ?? '')
  return readFields(context, subject, parseNodeFields(parameters.get('fields')))
}

async function answerEdge(context: Context): Promise<unknown> {
  const { path, parameters, base_url } = context.call
  const subject = await readSubject(context, path.id ?? '')
  const edge = findEdge(subject.level, path.edge ?? '')
  if (edge === undefined) throw unknownPath([path.edge ?? ''])
  const fields = parseNodeFields(parameters.get('fields'))
  return readEdge(context, subject, edge, fields, parameters, { base_url, path: path.normal, parameters })
}

async function answerInsights(context: Context): Promise<unknown> {
  const { path, parameters, base_url } = context.call
  const node = await readVisibleNode(context, path.id)
  return readInsightsPage(context, node, parameters, { base_url, path: path.normal, parameters })
}

async function refuseReport(context: Context): Promise<never> {
  await readVisibleNode(context, context.call.path.id)
  const message = 'POST, which starts a report, is not answered by this version of Readout: send GET'
  throw new GraphError(INVALID_PARAMETER, message)
}

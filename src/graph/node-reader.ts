import type { Node } from '../store/registry.ts'
import type { Context } from './context.ts'
import {
  asksTotal,
  cutPage,
  type Edge,
  type EdgePage,
  edgeParent,
  findEdge,
  formatEdgePaging,
  parseIdPage,
} from './edge.ts'
import { parseConditions } from './edge-filtering.ts'
import { isEmpty, type Value } from './encoding.ts'
import { FIELD_UNKNOWN, GraphError } from './error.ts'
import { type Field, parseFieldExpression } from './field-expression.ts'
import { isNode } from './node.ts'
import { idOf, type Json, type JsonObject, levelsOf, NODE_TYPES, type Subject } from './node-fields.ts'
import { type InsightsPage, readInsightsPage } from './node-insights.ts'
import type { PageAddress } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** Parses `fields` of a node or an edge; without any, what Meta answers then. */
export function parseNodeFields(value: Value | undefined): readonly Field[] {
  return value === undefined || isEmpty(value) ? [] : parseFieldExpression(value)
}

/** A node as the wire has it: the fields asked, in their order, and its `id` in any case (contract 1.11). */
export async function readFields(
  context: Context,
  subject: Subject | Node,
  fields: readonly Field[],
): Promise<JsonObject> {
  const type = NODE_TYPES[subject.level]
  const asked = fields.length > 0 ? fields : type.defaults.map(plainField)
  const row: JsonObject = {}
  for (const field of [...asked, plainField('id')]) {
    const value = Object.hasOwn(row, field.name) ? undefined : await readField(context, subject, field)
    if (value !== undefined) row[field.name] = value
  }
  return row
}

function plainField(name: string): Field {
  return { name, modifiers: new Map(), fields: undefined, text: '' }
}

async function readField(context: Context, subject: Subject | Node, field: Field): Promise<Json> {
  const { name } = field
  if (name === 'insights' && isNode(subject)) return expand(field, () => expandInsights(context, subject, field))
  for (const level of levelsOf(subject)) {
    const type = NODE_TYPES[level]
    const known = type.fields.get(name)
    if (known !== undefined) return pick(known.fill(subject, context.now), field.fields)
    const above = type.nested.find((one) => one === name)
    if (above !== undefined) return readNested(context, subject.names[`${above}_id`] ?? '', above, field)
    const edge = findEdge(level, name)
    if (edge !== undefined) return expand(field, () => expandEdge(context, subject, level, edge, field))
    if (type.omitted.has(name)) return undefined
  }
  const type = NODE_TYPES[subject.level].name
  throw new GraphError(FIELD_UNKNOWN, `Tried accessing nonexisting field (${name}) on node type (${type})`)
}

/** What is asked of an object that is not a node of its own: the keys that it has. */
function pick(value: Json, fields: readonly Field[] | undefined): Json {
  if (fields === undefined || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => fields.some(({ name }) => name === key)))
}

async function readNested(context: Context, id: string, level: Node['level'], { fields = [] }: Field): Promise<Json> {
  const node = await readAbove(context, id, level)
  return node && readFields(context, node, fields)
}

async function readAbove({ above, budget, tables }: Context, id: string, level: Node['level']) {
  const key = `${level} ${id}`
  if (above.has(key)) return above.get(key)
  budget.spend(1)
  const node = await tables.registry.readNode(id, level)
  above.set(key, node)
  return node
}

/** An expanded edge without rows is left out, and its errors name it (contract 9.6). */
async function expand(field: Field, read: () => Promise<EdgePage<Json> | InsightsPage>): Promise<Json> {
  try {
    const page = await read()
    return page.data.length === 0 && page.summary === undefined ? undefined : page
  } catch (error) {
    if (!(error instanceof GraphError) || !error.kind.prefixed || error.kind === FIELD_UNKNOWN) throw error
    throw new GraphError(error.kind, `For field '${field.name}': ${error.text}`)
  }
}

function expandInsights(context: Context, node: Node, field: Field): Promise<InsightsPage> {
  context.budget.spend(1)
  const parameters = parametersOf(context, field)
  return readInsightsPage(context, node, parameters, addressOf(context, node, 'insights', parameters))
}

function expandEdge(
  context: Context,
  subject: Subject,
  level: Subject['level'],
  edge: Edge,
  field: Field,
): Promise<EdgePage<Json>> {
  const parameters = parametersOf(context, field)
  const address = addressOf(context, subject, edge.name, parameters)
  return readEdge(context, { ...subject, level }, edge, field.fields ?? [], parameters, address)
}

/** The modifiers and the fields of an expanded edge, as if they were parameters; its links carry the call's token. */
function parametersOf({ call }: Context, { modifiers, text }: Field): Parameters {
  const parameters = new Map<string, Value>(modifiers)
  for (const name of ['access_token', 'appsecret_proof']) {
    const value = call.parameters.get(name)
    if (value !== undefined) parameters.set(name, value)
  }
  return text === '' ? parameters : parameters.set('fields', text)
}

/** Where an edge of a node is to be found, in the version of the call. */
export function addressOf({ call }: Context, subject: Subject, edge: string, parameters: Parameters): PageAddress {
  return { base_url: call.base_url, path: `${call.path.version}/${idOf(subject)}/${edge}`, parameters }
}

/** A page of an edge, each node with the fields asked. */
export async function readEdge(
  context: Context,
  subject: Subject,
  { lists }: Edge,
  fields: readonly Field[],
  parameters: Parameters,
  address: PageAddress,
): Promise<EdgePage<JsonObject>> {
  if (lists === undefined) return { data: [], ...(asksTotal(parameters) && { summary: { total_count: 0 } }) }
  const { registry, edges } = context.tables
  const parent = edgeParent(subject, context.token.accounts)
  const listing = { level: lists, parent, conditions: parseConditions(parameters, lists) }
  const page = parseIdPage(parameters)
  const [ids, more] = cutPage(await edges.listIds(listing, { ...page, limit: page.limit + 1 }), page)
  context.budget.spend(ids.length)
  const data: JsonObject[] = []
  for (const id of ids) {
    const node = await registry.readNode(lists === 'account' ? `act_${id}` : id, lists)
    if (node !== undefined) data.push(await readFields(context, node, fields))
  }
  const paging = formatEdgePaging(ids, page, more, address)
  const summary = asksTotal(parameters) ? { total_count: await edges.countIds(listing) } : undefined
  return { data, ...(paging && { paging }), ...(summary && { summary }) }
}

import { LEVELS, type Level, type Node } from '../store/registry.ts'
import { PRICES_US } from './budget.ts'
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
import { parseConditions, priceConditions } from './edge-filtering.ts'
import { isEmpty, type Value } from './encoding.ts'
import { FIELD_UNKNOWN, GraphError } from './error.ts'
import { type Field, parseFieldExpression } from './field-expression.ts'
import { isNode } from './node.ts'
import { type Fill, idOf, type Json, type JsonObject, levelsOf, NODE_TYPES, type Subject } from './node-fields.ts'
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
  const row = new Map<string, Json>()
  for (const field of [...asked, plainField('id')]) {
    const value = row.has(field.key) ? undefined : await readField(context, subject, field)
    if (value !== undefined) row.set(field.key, value)
  }
  return Object.fromEntries(row)
}

function plainField(name: string): Field {
  return { name, key: name, modifiers: new Map(), fields: undefined, text: '' }
}

async function readField(context: Context, subject: Subject | Node, field: Field): Promise<Json> {
  if (field.name === 'insights' && isNode(subject)) return expand(field, () => expandInsights(context, subject, field))
  const found = findField(levelsOf(subject), field.name)
  if (found === undefined) throw unknownField(field, subject.level)
  const { level, fill, above, edge } = found
  if (fill !== undefined) return pick(fill(subject, context.now), field.fields)
  if (above !== undefined) return readNested(context, subject.names[`${above}_id`] ?? '', above, field)
  return edge && expand(field, () => expandEdge(context, subject, level, edge, field))
}

/** What a name is to nodes of a level: how it is filled, a node above, or an edge; none of them where it is left out. */
interface FoundField {
  readonly level: Subject['level']
  readonly fill?: Fill
  readonly above?: Level
  readonly edge?: Edge
}

/** Looks a name up at each of these levels, and takes the first that knows it. */
function findField(levels: readonly Subject['level'][], name: string): FoundField | undefined {
  for (const level of levels) {
    const { fields, nested, omitted } = NODE_TYPES[level]
    const fill = fields.get(name)?.fill
    if (fill !== undefined) return { level, fill }
    const above = nested.find((one) => one === name)
    if (above !== undefined) return { level, above }
    const edge = findEdge(level, name)
    if (edge !== undefined) return { level, edge }
    if (omitted.has(name)) return { level }
  }
  return undefined
}

function unknownField({ name }: Field, level: Subject['level']): GraphError {
  const type = NODE_TYPES[level].name
  return new GraphError(FIELD_UNKNOWN, `Tried accessing nonexisting field (${name}) on node type (${type})`)
}

/** Refuses what nodes of this level would refuse, for a list that has none; a campaign may answer for its one ad. */
function checkFields(level: Level, fields: readonly Field[]): void {
  const levels = level === 'account' ? [level] : LEVELS.slice(LEVELS.indexOf(level))
  for (const field of fields.filter(({ name }) => name !== 'insights')) {
    const found = findField(levels, field.name)
    if (found === undefined) throw unknownField(field, level)
    const below = found.above ?? found.edge?.lists
    if (below !== undefined) checkFields(below, field.fields ?? [])
  }
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
  budget.spend(PRICES_US.node)
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
  context.budget.spend(PRICES_US.node)
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
  context.budget.spend(priceConditions(listing.conditions))
  const [ids, more] = cutPage(await edges.listIds(listing, { ...page, limit: page.limit + 1 }), page)
  if (ids.length === 0) checkFields(lists, fields)
  context.budget.spend(ids.length * PRICES_US.node)
  const data: JsonObject[] = []
  for (const id of ids) {
    const node = await registry.readNode(lists === 'account' ? `act_${id}` : id, lists)
    if (node !== undefined) data.push(await readFields(context, node, fields))
  }
  const paging = formatEdgePaging(ids, page, more, address)
  const summary = asksTotal(parameters) ? { total_count: await edges.countIds(listing) } : undefined
  return { data, ...(paging && { paging }), ...(summary && { summary }) }
}

import type { EdgeParent, IdPage } from '../store/edges.ts'
import type { Level } from '../store/registry.ts'
import { formatIdCursor, parseIdCursor } from './cursor.ts'
import { EDGE_OPERATORS } from './edge-filtering.ts'
import { parseText } from './encoding.ts'
import { LIMIT, LIMIT_DEFAULT, LIMIT_MAX, parseLimit } from './insights-parameters.ts'
import { FIELDS_OF_NODE, type Subject } from './node-fields.ts'
import { formatLink, type PageAddress, type Paging } from './paging.ts'
import { answered, disregarded, type Parameter } from './parameter.ts'
import { given, type Parameters } from './parameters.ts'
import { BOOLEAN, conditionsOf, listOf, OBJECT, TEXT } from './schema.ts'

/** A list of nodes beside a node: `/act_1/campaigns`. */
export interface Edge {
  readonly name: string
  /** The nodes that have it. */
  readonly of: readonly Subject['level'][]
  /** What it lists; nothing for a kind that clients read, and a ledger of messages has none of (contract 2). */
  readonly lists: Level | undefined
}

export const EDGES: readonly Edge[] = [
  { name: 'adaccounts', of: ['user'], lists: 'account' },
  { name: 'campaigns', of: ['account'], lists: 'campaign' },
  { name: 'adsets', of: ['account', 'campaign'], lists: 'adset' },
  { name: 'ads', of: ['account', 'campaign', 'adset'], lists: 'ad' },
  { name: 'adcreatives', of: ['account', 'campaign', 'adset', 'ad'], lists: undefined },
  { name: 'adimages', of: ['account'], lists: undefined },
  { name: 'advideos', of: ['account'], lists: undefined },
  { name: 'adlabels', of: ['account'], lists: undefined },
  { name: 'customaudiences', of: ['account'], lists: undefined },
  { name: 'customconversions', of: ['account'], lists: undefined },
]

/** The parameters of every edge (contract 9.7). */
export const EDGE_PARAMETERS: readonly Parameter[] = [
  FIELDS_OF_NODE,
  answered('limit', `Nodes on a page: 1 or more, ${LIMIT_DEFAULT} when absent, at most ${LIMIT_MAX}.`, LIMIT),
  answered('after', 'A cursor: the page starts after its node.', TEXT),
  answered('before', 'A cursor: the page ends before its node. `after` beats it.', TEXT),
  answered('summary', '`true` adds `summary.total_count`: how many nodes there are on all pages.', BOOLEAN),
  answered('effective_status', 'Only nodes of these states, as `["ACTIVE","DELETED"]`.', listOf(TEXT)),
  answered(
    'filtering',
    '`[{"field":"campaign.id","operator":"IN","value":["1"]}]`; all of them are to be met. Names are compared in any case, as far as ASCII has letters.',
    conditionsOf(EDGE_OPERATORS.keys()),
  ),
  answered('updated_since', 'Only nodes that changed since then: seconds since 1970, or `YYYY-MM-DD`.', TEXT),
  disregarded('date_preset', 'It stands with `insights`, not with a list.', TEXT),
  disregarded('time_range', 'It stands with `insights`, not with a list.', OBJECT),
  disregarded('is_completed', 'Readout knows no schedule.', BOOLEAN),
]

export function findEdge(level: Subject['level'], name: string): Edge | undefined {
  return EDGES.find((edge) => edge.name === name && edge.of.includes(level))
}

/** A page of an edge as the wire has it; an empty one has no `paging`. */
export interface EdgePage<Row> {
  readonly data: readonly Row[]
  readonly paging?: Paging
  readonly summary?: { readonly total_count: number }
}

/** Which ids of an edge are asked for. Throws code 2642 for a cursor that was never given out. */
export function parseIdPage(parameters: Parameters): IdPage {
  return {
    limit: parseLimit(parameters.get('limit')),
    after: parseCursor(parameters, 'after'),
    before: parseCursor(parameters, 'before'),
  }
}

function parseCursor(parameters: Parameters, name: string): string | undefined {
  const text = textOf(parameters, name)
  return text === undefined ? undefined : parseIdCursor(text)
}

/** Whether `summary` asks for the number of all nodes: `true`, `1`, `total_count` or a list of it. */
export function asksTotal(parameters: Parameters): boolean {
  const text = textOf(parameters, 'summary')
  return text !== undefined && !['false', '0'].includes(text.toLowerCase())
}

function textOf(parameters: Parameters, name: string): string | undefined {
  const value = given(parameters, name)
  return value === undefined || typeof value === 'string' ? value && parseText(value) : name
}

/** The ids on a page, and whether others follow, out of one more than the page can hold. */
export function cutPage(
  ids: readonly string[],
  { limit, after, before }: IdPage,
): [on: readonly string[], more: boolean] {
  const more = ids.length > limit
  const isBackwards = after === undefined && before !== undefined
  return [more && isBackwards ? ids.slice(1) : ids.slice(0, limit), more]
}

/**
 * The `paging` of a page. Before what comes after a cursor, and after what comes before one, there is something: the
 * node of that cursor itself.
 */
export function formatEdgePaging(
  ids: readonly string[],
  { limit, after, before }: IdPage,
  more: boolean,
  address: PageAddress,
): Paging | undefined {
  const [first, last] = [ids.at(0), ids.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const cursors = { before: formatIdCursor(first), after: formatIdCursor(last) }
  const isBackwards = after === undefined && before !== undefined
  const hasNext = isBackwards || more
  const hasPrevious = isBackwards ? more : after !== undefined
  return {
    cursors,
    ...(hasNext && { next: formatLink(address, limit, 'after', cursors.after) }),
    ...(hasPrevious && { previous: formatLink(address, limit, 'before', cursors.before) }),
  }
}

/** Whose nodes an edge lists. */
export function edgeParent({ level, names }: Subject, accounts: ReadonlySet<number>): EdgeParent {
  return level === 'user' ? { level, accounts } : { level, id: names[`${level}_id`] ?? '' }
}

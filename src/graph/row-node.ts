import { type Ad, LEVELS, type Level, type Node, sharedNames } from '../store/registry.ts'
import type { NodeCells } from '../store/rollups.ts'
import { PRICES_US } from './budget.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { type Filter, passesNode, priceFilters } from './filtering.ts'
import type { InsightsSource } from './insights.ts'

/** What rows are of: an object of the level asked for, with the cells that answer for it. */
export interface RowNode extends NodeCells {
  readonly names: Readonly<Record<string, string>>
}

/** Objects in their order, each put together when one comes to it: a page shows few of many. */
export interface RowNodes {
  readonly count: number
  readonly at: (place: number) => RowNode
}

/**
 * The objects of a level within a node, by the order in which their ads were registered; conditions on ids and names
 * leave out ads, so that what is above them counts without them. Throws code 100 for a level above the node's.
 */
export async function readRowNodes(
  { tables, directory, budget }: Pick<InsightsSource, 'tables' | 'directory' | 'budget'>,
  node: Node,
  { level = node.level, filters }: { readonly level: Level | undefined; readonly filters: readonly Filter[] },
): Promise<RowNodes> {
  checkLevel(node, level)
  const isFiltered = filters.some(({ kind }) => kind === 'node' || kind === 'status')
  if (level === node.level && !isFiltered) return nodesOf([node], (one) => one)
  const account = accountNames(node)
  const ads = await directory.readAds(tables, node)
  budget?.spend(ads.length * (PRICES_US.ad + priceFilters(filters)))
  const passing = isFiltered ? ads.filter((ad) => passesNode(filters, { ...account, ...adNames(ad) }, ad.status)) : ads
  if (level === 'account') {
    return nodesOf([passing], (all) => ({ account: node.account, ads: all.map(({ ad }) => ad), names: node.names }))
  }
  return nodesOf([...Map.groupBy(passing, (ad) => ad[`${level}_id`]).values()], (group) => ({
    account: node.account,
    ads: group.map(({ ad }) => ad),
    names: { ...account, ...sharedNames(level, group) },
  }))
}

function nodesOf<T>(parts: readonly T[], nodeOf: (part: T) => RowNode): RowNodes {
  return { count: parts.length, at: (place) => nodeOf(parts[place] as T) }
}

/** Throws code 100 for a level above the node's. */
export function checkLevel(node: Node, level: Level = node.level): void {
  if (LEVELS.indexOf(level) >= LEVELS.indexOf(node.level)) return
  throw new GraphError(INVALID_PARAMETER, `level ${level} is above the ${node.level} that is asked for`)
}

function accountNames({ names }: Node): Record<string, string> {
  return Object.fromEntries(Object.entries(names).filter(([name]) => name.startsWith('account_')))
}

function adNames({ campaign_id, campaign_name, adset_id, adset_name, ad_id, ad_name }: Ad): Record<string, string> {
  return { campaign_id, campaign_name, adset_id, adset_name, ad_id, ad_name }
}

import type { Node } from '../store/registry.ts'
import type { Context } from './context.ts'
import { type InsightsRow, readInsights } from './insights.ts'
import { parseInsightsQuery } from './insights-parameters.ts'
import { type PageAddress, type PagedRows, takePage } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** A page of a node's insights, for the edge of that name and for fields that expand it. */
export async function readInsightsPage(
  { tables, now, meta_history_limit }: Context,
  node: Node,
  parameters: Parameters,
  address: PageAddress,
): Promise<PagedRows<InsightsRow>> {
  const query = parseInsightsQuery(parameters)
  const rows = await readInsights(tables.rollups, node, query, now, meta_history_limit)
  return takePage(rows, query.page, address)
}

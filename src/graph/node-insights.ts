import type { Node } from '../store/registry.ts'
import type { Context } from './context.ts'
import { readInsights } from './insights.ts'
import { parseInsightsQuery } from './insights-parameters.ts'
import type { InsightsRow } from './insights-row.ts'
import { type PageAddress, type PagedRows, takePage } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** A page of insights, and the totals of all pages where they are asked for. */
export interface InsightsPage extends PagedRows<InsightsRow> {
  readonly summary: InsightsRow | undefined
}

/** A page of a node's insights, for the edge of that name and for fields that expand it. */
export async function readInsightsPage(
  context: Context,
  node: Node,
  parameters: Parameters,
  address: PageAddress,
): Promise<InsightsPage> {
  const query = parseInsightsQuery(parameters)
  const { rows, summary, write } = await readInsights(context, node, query)
  return { ...(await takePage(rows, query.page, address, write)), summary }
}

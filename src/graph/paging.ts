import { formatCursor, invalidCursor } from './cursor.ts'
import { formatValue } from './encoding.ts'
import type { Parameters } from './parameters.ts'

/** Which rows of a result are asked for. Offsets are of the row after, or before, which the page begins, or ends. */
export interface Page {
  readonly limit: number
  readonly after: number | undefined
  /** Looked at only when there is no `after`. */
  readonly before: number | undefined
}

/** Where the result is to be found again: what `next` and `previous` are made of. */
export interface PageAddress {
  readonly base_url: string
  readonly path: string
  readonly parameters: Parameters
}

export interface Paging {
  readonly cursors: { readonly before: string; readonly after: string }
  readonly next?: string
  readonly previous?: string
}

/** A page of rows as the wire has it; an empty one has no `paging` (contract 5.1). */
export interface PagedRows<Row> {
  readonly data: readonly Row[]
  readonly paging?: Paging
}

/** Takes a page out of all rows of a result (contract 5). Throws code 2642 when a cursor names a row that is not there. */
export function takePage<Row>(rows: readonly Row[], page: Page, address: PageAddress): PagedRows<Row> {
  const [start, end] = rowsOf(page, rows.length)
  if (start >= end) return { data: [] }
  const before = formatCursor(start)
  const after = formatCursor(end - 1)
  const paging = {
    cursors: { before, after },
    ...(end < rows.length && { next: formatLink(address, page.limit, 'after', after) }),
    ...(start > 0 && { previous: formatLink(address, page.limit, 'before', before) }),
  }
  return { data: rows.slice(start, end), paging }
}

/** The first row of the page and the row past its last. After the last row there is an empty page, not an error. */
function rowsOf({ limit, after, before }: Page, total: number): [start: number, end: number] {
  const named = after ?? before
  if (named !== undefined && named >= total) throw invalidCursor()
  if (after === undefined && before !== undefined) return [Math.max(0, before - limit), before]
  const start = after === undefined ? 0 : after + 1
  return [start, Math.min(start + limit, total)]
}

/**
 * A link that can be followed without adding anything (contract 5.3): it repeats every parameter, of the body too, and
 * so the access token of a call that carried it there. A token from a header is no parameter, and stays out of URLs.
 */
export function formatLink(address: PageAddress, limit: number, direction: 'after' | 'before', cursor: string): string {
  const pairs: string[] = []
  for (const [name, value] of address.parameters) {
    if (name === 'limit' || name === 'after' || name === 'before') continue
    pairs.push(`${encode(name)}=${encode(formatValue(value))}`)
  }
  pairs.push(`limit=${limit}`, `${direction}=${cursor}`)
  return `${address.base_url}${address.path}?${pairs.join('&')}`
}

/** A text that was cut within a character cannot be encoded as it is. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

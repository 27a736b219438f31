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

/**
 * Takes a page out of the rows of a result as they come, and writes its rows down (contract 5). After the last row there
 * is an empty page; a cursor that names a row that is not there is code 2642.
 */
export async function takePage<Row, Written>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  page: Page,
  address: PageAddress,
  write: (row: Row) => Written,
): Promise<PagedRows<Written>> {
  const [start, end] = placesOf(page)
  const data: Written[] = []
  let place = 0
  let hasNext = false
  for await (const row of rows) {
    hasNext = place >= end
    if (hasNext) break
    if (place >= start) data.push(write(row))
    place++
  }
  const named = page.after ?? page.before
  if (!hasNext && named !== undefined && named >= place) throw invalidCursor()
  return data.length === 0 ? { data } : { data, paging: pagingOf(page, address, start, place, hasNext) }
}

/** The same of a result whose rows are numbered, and are read by their places: from `start` to the one before `end`. */
export async function seekPage<Row>(
  readRows: (start: number, end: number) => Promise<readonly Row[]>,
  total: number,
  page: Page,
  address: PageAddress,
): Promise<PagedRows<Row>> {
  const named = page.after ?? page.before
  if (named !== undefined && named >= total) throw invalidCursor()
  const [start, stop] = placesOf(page)
  const end = Math.min(stop, total)
  const data = start < end ? await readRows(start, end) : []
  return data.length === 0 ? { data } : { data, paging: pagingOf(page, address, start, end, end < total) }
}

/** The place of the page's first row, and the one past its last. */
function placesOf({ limit, after, before }: Page): [start: number, end: number] {
  if (after === undefined && before !== undefined) return [Math.max(0, before - limit), before]
  const start = after === undefined ? 0 : after + 1
  return [start, start + limit]
}

function pagingOf({ limit }: Page, address: PageAddress, start: number, end: number, hasNext: boolean): Paging {
  const before = formatCursor(start)
  const after = formatCursor(end - 1)
  return {
    cursors: { before, after },
    ...(hasNext && { next: formatLink(address, limit, 'after', after) }),
    ...(start > 0 && { previous: formatLink(address, limit, 'before', before) }),
  }
}

/**
 * A link that can be followed without adding anything (contract 5.3): it repeats every parameter, of the body too, and
 * so the access token of a call that carried it there. A token from a header is no parameter, and stays out of URLs.
 */
function formatLink(address: PageAddress, limit: number, direction: 'after' | 'before', cursor: string): string {
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

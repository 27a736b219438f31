import { type Cursor, formatCursor, invalidCursor } from './cursor.ts'
import { formatValue } from './encoding.ts'
import type { Parameters } from './parameters.ts'

/** Which rows of a result are asked for: those behind a cursor, those ahead of one, or the first. */
export interface Page {
  readonly limit: number
  readonly after: Cursor | undefined
  /** Looked at only when there is no `after`. */
  readonly before: Cursor | undefined
}

/** A row with its place among all rows of its result. */
export interface PlacedRow<Row> extends Cursor {
  readonly row: Row
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

/** The rows of a result: all of them, or as one goes through them, from some row on. */
export type PlacedRows<Row> = readonly PlacedRow<Row>[] | AsyncIterable<PlacedRow<Row>>

/**
 * Takes a page out of the rows of a result, and writes its rows down (contract 5). After the last row there is an empty
 * page; a cursor that names a row that is not there is code 2642.
 */
export async function takePage<Row, Written>(
  rows: PlacedRows<Row>,
  page: Page,
  address: PageAddress,
  write: (row: Row) => Written,
): Promise<PagedRows<Written>> {
  const [start, end] = placesOf(page)
  const { taken, last } =
    Symbol.asyncIterator in rows
      ? await takeAsTheyCome(rows, start, end)
      : { taken: rows.slice(start, end), last: rows.length - 1 }
  const named = (page.after ?? page.before)?.place ?? -1
  if (named > last) throw invalidCursor()
  const data = taken.map(({ row }) => write(row))
  return data.length === 0 ? { data } : { data, paging: pagingOf(taken, page, address, last >= end) }
}

/** The rows of a page, and the place of the last row that was looked at: past the page, if there is one. */
async function takeAsTheyCome<Row>(
  rows: AsyncIterable<PlacedRow<Row>>,
  start: number,
  end: number,
): Promise<{ taken: PlacedRow<Row>[]; last: number }> {
  const taken: PlacedRow<Row>[] = []
  let last = -1
  for await (const placed of rows) {
    last = placed.place
    if (last >= end) break
    if (last >= start) taken.push(placed)
  }
  return { taken, last }
}

/** The same of a result whose rows are numbered, and are read by their places: from `start` to the one before `end`. */
export async function seekPage<Row>(
  readRows: (start: number, end: number) => Promise<readonly Row[]>,
  total: number,
  page: Page,
  address: PageAddress,
): Promise<PagedRows<Row>> {
  const named = (page.after ?? page.before)?.place ?? -1
  if (named >= total) throw invalidCursor()
  const [start, stop] = placesOf(page)
  const end = Math.min(stop, total)
  const data = start < end ? await readRows(start, end) : []
  const ends = [start, end - 1].map((place) => ({ place, start: undefined }))
  return data.length === 0 ? { data } : { data, paging: pagingOf(ends, page, address, end < total) }
}

/** The place of the page's first row, and the one past its last. */
function placesOf({ limit, after, before }: Page): [start: number, end: number] {
  if (after === undefined && before !== undefined) return [Math.max(0, before.place - limit), before.place]
  const start = after === undefined ? 0 : after.place + 1
  return [start, start + limit]
}

function pagingOf(taken: readonly Cursor[], { limit }: Page, address: PageAddress, hasNext: boolean): Paging {
  const [first, last] = [taken.at(0) as Cursor, taken.at(-1) as Cursor]
  const before = formatCursor(first)
  const after = formatCursor(last)
  return {
    cursors: { before, after },
    ...(hasNext && { next: formatLink(address, limit, 'after', after) }),
    ...(first.place > 0 && { previous: formatLink(address, limit, 'before', before) }),
  }
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

import { CURSOR_INVALID, GraphError } from './error.ts'

/** No result has more rows than this. */
export const CURSOR_OFFSET_MAX = 999_999_999

/**
 * Formats a row's offset in the whole result as Meta does: base64 of its decimals (contract 5.2). Of the marks that
 * Meta escapes with a `Z`, only `=` stands in the base64 of decimals.
 */
export function formatCursor(offset: number): string {
  return btoa(String(offset)).replaceAll('=', 'ZD')
}

/** Parses a cursor to its row's offset. Throws code 2642 for a text that `formatCursor` never wrote. */
export function parseCursor(cursor: string): number {
  const decimals = Buffer.from(cursor.replaceAll('ZD', '='), 'base64').toString('latin1')
  const offset = /^\d+$/.test(decimals) ? Number(decimals) : CURSOR_OFFSET_MAX + 1
  if (offset > CURSOR_OFFSET_MAX || formatCursor(offset) !== cursor) throw invalidCursor()
  return offset
}

export function invalidCursor(): GraphError {
  return new GraphError(CURSOR_INVALID, 'Invalid cursors values')
}

/** What stands before the id, so that the cursors of edges begin with `QVFI`, as Meta's do. */
const ID_MARK = 'AQH'

/** Formats the place of a node in an edge, which is its id (contract 5.2). */
export function formatIdCursor(id: string): string {
  return btoa(`${ID_MARK}${id}`).replaceAll('=', 'ZD')
}

/** Parses a cursor of an edge to the id of its node. Throws code 2642 for a text that `formatIdCursor` never wrote. */
export function parseIdCursor(cursor: string): string {
  const text = Buffer.from(cursor.replaceAll('ZD', '='), 'base64').toString('latin1')
  const id = text.slice(ID_MARK.length)
  if (!/^\d{1,20}$/.test(id) || formatIdCursor(id) !== cursor) throw invalidCursor()
  return id
}

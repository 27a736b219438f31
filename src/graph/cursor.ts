import { CURSOR_INVALID, GraphError } from './error.ts'

/** No result has more rows than this. */
export const CURSOR_OFFSET_MAX = 999_999_999

const ESCAPES: Readonly<Record<string, string>> = { Z: 'ZA', '+': 'ZB', '/': 'ZC', '=': 'ZD' }
const UNESCAPES: Readonly<Record<string, string>> = { ZA: 'Z', ZB: '+', ZC: '/', ZD: '=' }

/** Formats a row's offset in the whole result as Meta does: base64 of its decimals, with `Z` as escape (contract 5.2). */
export function formatCursor(offset: number): string {
  return btoa(String(offset)).replace(/[Z+/=]/g, (mark) => ESCAPES[mark] ?? mark)
}

/** Parses a cursor to its row's offset. Throws code 2642 for a text that `formatCursor` never wrote. */
export function parseCursor(cursor: string): number {
  const offset = decodeOffset(cursor.replace(/Z[A-D]/g, (mark) => UNESCAPES[mark] ?? mark))
  if (offset > CURSOR_OFFSET_MAX || formatCursor(offset) !== cursor) throw invalidCursor()
  return offset
}

export function invalidCursor(): GraphError {
  return new GraphError(CURSOR_INVALID, 'Invalid cursors values')
}

function decodeOffset(base64: string): number {
  return Number(Buffer.from(base64, 'base64').toString('latin1'))
}

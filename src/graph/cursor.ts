import { CURSOR_INVALID, GraphError } from './error.ts'

/** No result has more rows than this. */
export const CURSOR_PLACE_MAX = 999_999_999

/** Where the rows of one object begin in a result of many. */
export interface ObjectStart {
  /** Counted from zero. */
  readonly object: number
  /** The place of its first row among all rows. */
  readonly place: number
}

/** Names a row of a result by its place among all rows, counted from zero. */
export interface Cursor {
  readonly place: number
  /** Where its object begins, so that a page deep in a result is found without counting from the first row. */
  readonly start: ObjectStart | undefined
}

/**
 * Formats a cursor as Meta does: base64 of the place's decimals (contract 5.2); behind the first object of a result,
 * where that object begins as well. Of the marks that Meta escapes with a `Z`, only `=` stands in such a base64.
 */
export function formatCursor({ place, start }: Cursor): string {
  const isInFirst = start === undefined || start.object === 0
  const text = isInFirst ? `${place}` : `${place}:${start.object}:${start.place}`
  return btoa(text).replaceAll('=', 'ZD')
}

const CURSOR = /^(\d+)(?::(\d+):(\d+))?$/

/** Parses a cursor. Throws code 2642 for a text that `formatCursor` never wrote. */
export function parseCursor(text: string): Cursor {
  const match = CURSOR.exec(Buffer.from(text.replaceAll('ZD', '='), 'base64').toString('latin1'))
  const [place = CURSOR_PLACE_MAX + 1, object, start] = (match?.slice(1) ?? []).map((part) => part && Number(part))
  const cursor = {
    place: Number(place),
    start: object === undefined ? undefined : { object: Number(object), place: Number(start) },
  }
  const isSound = cursor.place <= CURSOR_PLACE_MAX && (cursor.start?.place ?? 0) <= cursor.place
  if (!isSound || formatCursor(cursor) !== text) throw invalidCursor()
  return cursor
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

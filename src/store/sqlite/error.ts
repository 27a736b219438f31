import { DatabaseError, StoreUnavailableError } from '../store.ts'

/** SQLite's primary result codes, as far as somebody who runs Readout can do something about them. */
const CODES = { busy: 5, readonly: 8, io: 10, corrupt: 11, full: 13, cannot_open: 14, no_database: 26 } as const

interface Trouble {
  readonly reason: string
  /** Another file, where there is no other. */
  readonly way_out?: string
  /** Whether the file itself is well: what could not be done now can be done later. */
  readonly passes: boolean
}

const TROUBLES: Readonly<Record<number, Trouble>> = {
  [CODES.busy]: {
    reason: 'another program holds it, and does not let go',
    way_out: 'try again, what was committed is kept',
    passes: true,
  },
  [CODES.readonly]: {
    reason: 'it may not be written',
    way_out: 'give the user who runs this the right to write it and its folder',
    passes: true,
  },
  [CODES.io]: {
    reason: 'the disk fails',
    way_out: "look into the machine's log; what was committed is kept",
    passes: true,
  },
  [CODES.corrupt]: {
    reason: 'it is damaged',
    way_out: 'put a backup in its place with: readout restore',
    passes: false,
  },
  [CODES.full]: { reason: 'the disk is full', way_out: 'make room, what was committed is kept', passes: true },
  [CODES.cannot_open]: {
    reason: 'it is a folder, or this user may not open it or make it there',
    passes: true,
  },
  [CODES.no_database]: { reason: 'it is no database', passes: false },
}

/** What is wrong with the database, if that is what an error of SQLite says. */
export function troubleOf(cause: unknown): Trouble | undefined {
  const code = codeOf(cause)
  return code === undefined ? undefined : TROUBLES[code]
}

export function isDamage(cause: unknown): boolean {
  const code = codeOf(cause)
  return code === CODES.corrupt || code === CODES.no_database
}

export function isBusy(cause: unknown): boolean {
  return codeOf(cause) === CODES.busy
}

/** Whether a file is not there and cannot be made. */
export function isNowhere(cause: unknown): boolean {
  return codeOf(cause) === CODES.cannot_open
}

/** A DatabaseError of a file beside which nothing can be written. */
export function unwritable(act: string, file: string, cause: unknown): DatabaseError {
  const { reason, way_out } = TROUBLES[CODES.readonly] as Trouble
  return new DatabaseError(`cannot ${act} the database ${file}: ${reason}; ${way_out}`, { cause })
}

/** How another file is named for what was to be done with one. */
export function anotherFor(act: string): string {
  return act === 'restore' ? 'name another file' : 'name another with --database'
}

/** A DatabaseError that says why something could not be done with a file. */
export function databaseError(act: string, file: string, cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const { reason, way_out = anotherFor(act) } = troubleOf(cause) ?? { reason: wordsOf(cause) }
  return new DatabaseError(`cannot ${act} the database ${file}: ${reason}; ${way_out}`, { cause })
}

/** What a transaction rejects with: an error that says what is wrong with the database, or the cause itself. */
export function transactionError(act: 'read' | 'write', file: string, cause: unknown): unknown {
  const trouble = troubleOf(cause)
  if (trouble === undefined) return cause
  const error = databaseError(act, file, cause)
  return trouble.passes ? new StoreUnavailableError(error.message, { cause }) : error
}

/** The low byte of the result code that `node:sqlite` puts on its errors. */
function codeOf(cause: unknown): number | undefined {
  return cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : undefined
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

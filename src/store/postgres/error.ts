import pg from 'pg'
import { DatabaseError, StoreUnavailableError } from '../store.ts'

/** Errors of PostgreSQL that pass, by their SQLSTATE: the same can be done later, and nothing of it is stored. */
const PASSING: readonly { readonly code: RegExp; readonly reason: string }[] = [
  { code: /^08(?!P01)/, reason: 'the connection broke' },
  { code: /^57P0/, reason: 'it is shutting down, or starting' },
  { code: /^53/, reason: 'it has no room left: connections, memory or disk' },
  { code: /^40P01$/, reason: 'two transactions waited for each other' },
  { code: /^40001$/, reason: 'another transaction came between' },
  { code: /^25006$/, reason: 'it may not be written: it is a standby, or default_transaction_read_only is on' },
  { code: /^25P0[23]$/, reason: 'the transaction was ended' },
  { code: /^55P03$/, reason: 'another transaction holds it, and does not let go' },
  { code: /^57014$/, reason: 'it took too long' },
]

/** What keeps a database from being opened, and what can be done about it. */
const HINDRANCES: readonly { readonly code: RegExp; readonly reason?: string; readonly way_out: string }[] = [
  { code: /^08P01$/, way_out: 'name PostgreSQL itself with --database, not a pooler before it' },
  { code: /^28/, reason: 'it refuses this user or password', way_out: 'correct them in --database' },
  { code: /^3D000$/, reason: 'there is no such database', way_out: 'make it with: createdb NAME' },
  { code: /^42501$/, reason: 'this user may not make tables there', way_out: 'grant CREATE on the schema' },
]

/** What `pg` says, without a code, of connections that are gone. */
const CONNECTION_WORDS =
  /^Connection terminated|connection error|was closed|timeout exceeded|^Query read timeout|^timeout/

/** What Citus says, without a code of its own, where the connection to a worker broke at a commit. */
const UNCOMMITTED_ON_WORKER = /^could not commit transaction for shard/

/** A database as it may be shown: its URL without the password, and without what stands in its query. */
export function describePostgres(url: string): string {
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}

/** What a statement rejects with: a StoreUnavailableError for what passes, or the cause itself. */
export function statementError(url: string, cause: unknown): unknown {
  const reason = passingReason(cause)
  if (reason === undefined) return cause
  return new StoreUnavailableError(
    `cannot use the database ${describePostgres(url)}: ${reason}; try again, what was committed is kept`,
    { cause },
  )
}

/** Whether the connection is gone, or never came about: nobody who uses it gets any further. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof StoreUnavailableError && !isOfStatement(error)
}

/** Whether the database has refused, or ended, a statement, and with it the transaction, whoever else is in that. */
export function isOfStatement(error: unknown): boolean {
  const cause = error instanceof StoreUnavailableError ? error.cause : error
  return cause instanceof pg.DatabaseError && !/^(?:08|57P)/.test(codeOf(cause))
}

/** Why a database cannot be opened: a StoreUnavailableError for what passes, else a DatabaseError. */
export function openingError(url: string, cause: unknown): unknown {
  if (cause instanceof DatabaseError || cause instanceof StoreUnavailableError) return cause
  const passing = statementError(url, cause)
  if (passing !== cause) return passing
  const hindrance = HINDRANCES.find((one) => one.code.test(codeOf(cause)))
  const reason = hindrance?.reason ?? (cause instanceof Error ? cause.message : String(cause))
  const way_out = hindrance?.way_out ?? 'name another with --database'
  return new DatabaseError(`cannot open the database ${describePostgres(url)}: ${reason}; ${way_out}`, { cause })
}

function passingReason(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const code = codeOf(cause)
  if (cause instanceof pg.DatabaseError) {
    if (UNCOMMITTED_ON_WORKER.test(cause.message)) return 'one of its workers could not commit'
    return PASSING.find((one) => one.code.test(code))?.reason
  }
  // An error of the operating system's, such as ECONNREFUSED, or one of several, when a name has several addresses.
  if ('syscall' in cause || cause instanceof AggregateError) return `it cannot be reached (${code})`
  return CONNECTION_WORDS.test(cause.message) ? 'it cannot be reached' : undefined
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

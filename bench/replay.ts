import pg from 'pg'
import { openPool } from '../src/store/postgres/database.ts'

/** A statement as it was sent. */
export type Sent = pg.QueryConfig

/** Does some work, and returns the statements that it sent to PostgreSQL from this process, connection by connection, in their order. */
export async function recordStatements(work: () => Promise<void>): Promise<Sent[][]> {
  const connections = new Map<pg.Client, Sent[]>()
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function record(this: pg.Client, ...args: unknown[]) {
    const [sent] = args as [string | Sent]
    const statement = typeof sent === 'string' ? { text: sent } : { ...sent }
    const known = connections.get(this)
    if (known === undefined) connections.set(this, [statement])
    else known.push(statement)
    return (query as (...sent: unknown[]) => unknown).apply(this, args)
  } as typeof query
  try {
    await work()
  } finally {
    pg.Client.prototype.query = query
  }
  return [...connections.values()]
}

/** Sends statements on one connection like the product's, each after the one before it was answered; returns how many seconds it took. */
export async function replayStatements(database: string, statements: readonly Sent[]): Promise<number> {
  const pool = openPool(database, {})
  const client = await pool.connect()
  try {
    const started_ms = performance.now()
    for (const statement of statements) await client.query({ ...statement })
    return (performance.now() - started_ms) / 1000
  } finally {
    client.release()
    await pool.end()
  }
}

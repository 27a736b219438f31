import pg from 'pg'

/** A statement as it was sent. */
type Sent = pg.QueryConfig

/** Does some work, and returns the statements that it sent to PostgreSQL from this process, connection by connection, in their order. */
export async function recordStatements(work: () => Promise<void>): Promise<Sent[][]> {
  const connections = new Map<pg.Client, Sent[]>()
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function record(this: pg.Client, ...args: unknown[]) {
    const [sent] = args
    const known = connections.get(this)
    if (known === undefined) connections.set(this, [sent as Sent])
    else known.push(sent as Sent)
    return (query as (...sent: unknown[]) => unknown).apply(this, args)
  } as typeof query
  try {
    await work()
  } finally {
    pg.Client.prototype.query = query
  }
  return [...connections.values()]
}

/** Sends statements on one connection, each after the one before it was answered; returns how many seconds it took. */
export async function replayStatements(database: string, statements: readonly Sent[]): Promise<number> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    const started_ms = performance.now()
    for (const { text, name, values, rowMode } of statements as (Sent & { rowMode?: 'array' })[]) {
      await client.query({ text, name, values, rowMode } as Sent)
    }
    return (performance.now() - started_ms) / 1000
  } finally {
    await client.end()
  }
}

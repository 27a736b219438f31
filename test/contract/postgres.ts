import { randomBytes } from 'node:crypto'
import { describeDatabase, isPostgres } from '../../src/store/open.ts'
import { Cluster } from './cluster.ts'
import { Schemas } from './schemas.ts'

/** Names a PostgreSQL server that is started for the run, where others are named by their URL. */
const OURS = 'postgres'

/** Servers of ours on one PostgreSQL, so that one can be killed while others go on. */
export const SERVERS = 3
export const SERVERS_MIN = 2

/** Whether a `--database` names a PostgreSQL server. */
export function namesPostgres(database: string): boolean {
  return database === OURS || isPostgres(database)
}

export interface OpenedPostgres extends AsyncDisposable {
  readonly schemas: Schemas
  /** What `--database` can show. */
  readonly name: string
}

/** A PostgreSQL server of our own, or the one that is named, for schemas whose names begin so. */
export async function openPostgres(database: string, prefix: string): Promise<OpenedPostgres> {
  await using parts = new AsyncDisposableStack()
  const isOurs = !isPostgres(database)
  const url = isOurs ? parts.use(await Cluster.start(randomBytes(16).toString('hex'))).url : database
  const schemas = parts.use(new Schemas(url, `${prefix}_${randomBytes(4).toString('hex')}`))
  const opened = parts.move()
  const name = isOurs ? OURS : describeDatabase(url)
  return { schemas, name, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { Cluster } from './contract/cluster.ts'

/** Brings a database back that went away. */
export type Return = () => Promise<void>

/** A way in which a database goes away. */
export interface Absence {
  readonly name: string
  readonly begin: (cluster: Cluster) => Promise<Return>
}

export const ABSENCES: readonly Absence[] = [
  { name: 'is stopped', begin: (cluster) => stop(cluster, 'fast') },
  { name: 'crashes', begin: (cluster) => stop(cluster, 'immediate') },
  { name: 'is a standby for a while', begin: refuseWrites },
  { name: 'has no connection left', begin: takeConnections },
  { name: 'hangs', begin: hang },
]

/** A connection to a database that may end it. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Stops the whole cluster, by its own will or by a crash. */
export async function stop(cluster: Cluster, how: 'fast' | 'immediate'): Promise<Return> {
  await cluster.stop(how)
  return () => cluster.restart()
}

/** The wrong side of a failover reads, and refuses to be written. */
async function refuseWrites({ url }: Cluster): Promise<Return> {
  const set = async (value: string) => {
    const client = await connectTo(url)
    await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
    await client.query('SELECT pg_reload_conf()')
    await client.end()
  }
  await set('on')
  return () => set('off')
}

const CALM_TIMES = 3
const CALM_MS = 20

/** Takes every connection that the server has, those of Readout as well. */
async function takeConnections({ url }: Cluster): Promise<Return> {
  const taken: pg.Client[] = []
  const first = await connectTo(url)
  const ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'readout'"
  // Whoever is ended gives a connection back a little later, and takes it again if it can: it is over when none was free, and
  // none was Readout's, several times in a row.
  for (let calm = 0; calm < CALM_TIMES; ) {
    const isFull = await connectTo(url).then(
      (client) => taken.push(client) === 0,
      () => true,
    )
    const others = (await first.query(ended)).rowCount ?? 0
    calm = isFull && others === 0 ? calm + 1 : 0
    if (isFull) await wait(CALM_MS)
  }
  return async () => {
    for (const client of [...taken, first]) await client.end()
  }
}

/** Stops the processes that serve Readout's connections where they are: they neither answer nor go. */
export async function hang({ url }: Cluster): Promise<Return> {
  const client = await connectTo(url)
  const readout = "SELECT pid FROM pg_stat_activity WHERE application_name = 'readout'"
  const held = (await client.query(readout)).rows.map(({ pid }) => Number(pid))
  for (const pid of held) process.kill(pid, 'SIGSTOP')
  return async () => {
    for (const pid of held) process.kill(pid, 'SIGCONT')
    await client.end()
  }
}

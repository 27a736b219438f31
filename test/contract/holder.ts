import { Cluster } from './cluster.ts'

/** Holds a server until it is killed, and says where it is. */
const cluster = await Cluster.start('a password')
process.stdout.write(`${cluster.url}\n`)

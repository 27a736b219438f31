import type { Bench } from './bench.ts'
import type { BenchAccount } from './load.ts'
import { runReadout } from './node-process.ts'
import { ServerProcess } from './server-process.ts'

/** Starts Readout on a database. */
export function startServer({ app_secret }: Bench, database: string): Promise<ServerProcess> {
  const serving = ['serve', '--port', '0', '--database', database, '--app-secret', app_secret, '--log-level', 'warn']
  return ServerProcess.start('src/cli/main.ts', serving)
}

/** Makes a token that reads these accounts. */
export async function createToken(database: string, accounts: readonly BenchAccount[]): Promise<string> {
  const readable = accounts.flatMap(({ account_id }) => ['--account', `act_${account_id}`])
  const { stdout } = await runReadout(['token', 'create', '--permission', 'read', ...readable, '--database', database])
  return stdout.trim()
}

import { pino } from 'pino'
import { openServer, type ReadoutServer } from '../../../src/server.ts'
import { APP_SECRET, HASH_KEY } from '../../open.ts'
import { WallClock } from './clock.ts'
import type { FromHost, ToHost } from './host.ts'

/** A process that opens a real server on each database that it is told of, one after another, under the clock of its world. */
const clock = WallClock.at(process.argv[2] ?? '')
let server: ReadoutServer | undefined

process.on('message', async (message: ToHost) => {
  if (message.kind === 'open') {
    server = await open(message.database)
    tell({ kind: 'opened', url: server.url })
  } else {
    await server?.[Symbol.asyncDispose]()
    tell({ kind: 'closed' })
  }
})
// Whoever plays has ended, in whatever way.
process.on('disconnect', () => process.exit())
tell({ kind: 'ready' })

function open(database: string): Promise<ReadoutServer> {
  return openServer({
    host: '127.0.0.1',
    port: 0,
    database,
    public_url: undefined,
    app_secrets: [APP_SECRET],
    verify_token: undefined,
    require_appsecret_proof: false,
    request_limit: undefined,
    hash_key: HASH_KEY,
    cors_origins: [],
    metrics_token: undefined,
    meta_history_limit: false,
    now: () => Temporal.Instant.fromEpochMilliseconds(clock.now_ms),
    log: pino({ level: 'error' }, { write: (line: string) => tell({ kind: 'failed', line }) }),
    prepare: async () => {},
    onDeath: (cause) => {
      throw cause
    },
  })
}

function tell(message: FromHost): void {
  process.send?.(message)
}

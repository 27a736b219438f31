import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { KeyedPseudonyms } from '../ingest/pseudonym.ts'
import { LOOPBACK } from '../operations.ts'
import { DEMO_ACCOUNT } from '../sandbox/demo.ts'
import { DOCUMENTED_SAMPLE_ID } from '../sandbox/documented-sample.ts'
import { openServer } from '../server.ts'
import { describeDatabase } from '../store/open.ts'
import { type DatabaseOptions, isMissing } from './database.ts'
import { DEMO_TOKEN, loadDemo, playDemo, refuseEverybody } from './demo.ts'
import { EXIT } from './error.ts'
import { readHashKey } from './hash-key.ts'
import { openLog } from './log.ts'
import { addSettings, SERVER_SETTINGS } from './settings.ts'
import { misused } from './values.ts'

/** The values of SERVER_SETTINGS. */
interface ServeOptions extends DatabaseOptions {
  readonly demo?: boolean
  readonly host: string
  readonly port: number
  readonly publicUrl?: string
  readonly appSecret?: readonly string[]
  readonly verifyToken?: string
  readonly requireAppsecretProof?: boolean
  readonly requestLimit?: number
  readonly corsOrigin?: readonly string[]
  readonly metricsToken?: string
  readonly metaHistoryLimit?: boolean
  readonly logLevel: string
}

/** `readout serve`. */
export function addServeCommand(program: Command): void {
  const command = addSettings(
    program.command('serve').description('take webhooks and answer insights'),
    SERVER_SETTINGS,
  )
  command.action(() => serve(command.opts<ServeOptions>()))
}

async function serve(options: ServeOptions): Promise<void> {
  const { host, port, database, demo = false } = options
  refuseContradictions(options)
  const isNew = isMissing(database)
  const now = () => Temporal.Now.instant()
  const hash_key = options.hashKey ?? readHashKey(database)
  const demo_secret = randomBytes(32).toString('hex')
  const app_secrets = options.appSecret ?? []
  await using server = await openServer({
    host,
    port,
    database,
    hash_key,
    now,
    public_url: options.publicUrl,
    app_secrets,
    sandbox_secret: demo ? demo_secret : undefined,
    verify_token: options.verifyToken,
    require_appsecret_proof: options.requireAppsecretProof ?? false,
    request_limit: options.requestLimit,
    cors_origins: options.corsOrigin ?? [],
    metrics_token: options.metricsToken,
    meta_history_limit: options.metaHistoryLimit ?? false,
    log: openLog(options.logLevel),
    prepare: (store) =>
      demo ? loadDemo(store, new KeyedPseudonyms(hash_key), now().epochMilliseconds) : refuseEverybody(store),
    onDeath: () => process.exit(EXIT.failed),
  })
  using _live = demo ? playDemo(server.url, demo_secret, () => now().epochMilliseconds) : undefined
  greet(server.url, options, isNew)
  await stopSignal()
  process.stdout.write('stopping: what was accepted is committed first\n')
}

/** Throws a CliError for settings that do not go together. */
function refuseContradictions({ demo = false, host, publicUrl, requireAppsecretProof, appSecret }: ServeOptions): void {
  if (demo && (!LOOPBACK.test(host) || publicUrl !== undefined)) {
    throw misused('--demo has a token that everybody knows: leave out --public-url, and --host but a loopback address')
  }
  if (requireAppsecretProof && appSecret === undefined) {
    throw misused('--require-appsecret-proof needs the secret that proofs are made with: add --app-secret')
  }
}

function greet(url: string, options: ServeOptions, isNew: boolean): void {
  const { appSecret = [], verifyToken, database, publicUrl, metricsToken, demo = false } = options
  const lines = [
    `Readout answers on ${url} from ${describeDatabase(database)}${isNew ? ', which is new' : ''}`,
    `  webhooks  ${url}/webhooks/messenger`,
  ]
  if (appSecret.length === 0) {
    const others = demo ? "webhooks other than the sandbox's own are" : 'webhooks are'
    lines.push(`            without --app-secret ${others} refused with 403`)
  }
  if (verifyToken === undefined) lines.push("            without --verify-token Meta's handshake is refused with 403")
  lines.push(`  health    ${url}/healthz  ${url}/readyz  ${url}/metrics`)
  if (publicUrl !== undefined && metricsToken === undefined) {
    lines.push('            with --public-url and without --metrics-token /metrics is closed')
  }
  if (demo) lines.push(...demoLines(url))
  process.stdout.write(`${lines.join('\n')}\n`)
}

function demoLines(url: string): string[] {
  const fields = 'marketing_messages_delivered,marketing_messages_read_rate,marketing_messages_spend'
  const insights = `${url}/v25.0/${DOCUMENTED_SAMPLE_ID}/insights?fields=${fields}&date_preset=data_maximum`
  return [
    `  demo      act_${DEMO_ACCOUNT.account_id}, read with the token: ${DEMO_TOKEN}`,
    '',
    `  curl -H 'Authorization: Bearer ${DEMO_TOKEN}' '${insights}'`,
    '',
  ]
}

function stopSignal(): Promise<unknown> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

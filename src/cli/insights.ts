import { type Command, Option } from 'commander'
import { DATINGS } from '../domain/counter.ts'
import { DATE_PRESETS } from '../domain/date-preset.ts'
import { formatDay, parseDay } from '../domain/day.ts'
import { METRIC_BY_FIELD, METRICS, REGION_POLICIES } from '../domain/metric.ts'
import { Directory } from '../graph/directory.ts'
import { GraphError } from '../graph/error.ts'
import { DATE_FIELDS } from '../graph/field.ts'
import { readInsights } from '../graph/insights.ts'
import { BREAKDOWNS, parseInsightsQuery } from '../graph/insights-parameters.ts'
import { LEVELS, type Node } from '../store/registry.ts'
import type { Tables } from '../store/store.ts'
import { hasExpired, hashToken, type Token } from '../store/tokens.ts'
import { type Database, databaseCommand, sayUnresolved } from './database.ts'
import { CliError, EXIT } from './error.ts'
import { type Column, type OutputMode, outputOption, printRows, say } from './output.ts'
import { misused } from './values.ts'

interface InsightsOptions {
  readonly fields?: string
  readonly datePreset?: string
  readonly since?: string
  readonly until?: string
  readonly level?: string
  readonly breakdowns?: string
  readonly timeIncrement?: string
  readonly regionPolicy?: string
  readonly datedBy?: string
  readonly token?: string
  readonly output: OutputMode
}

const FAILURE_COLUMNS: readonly Column[] = [
  { key: 'day', label: 'Day' },
  { key: 'failed', label: 'Failed' },
  { key: 'error_message', label: 'Reason' },
]

/** `readout insights`, `readout failures`. */
export function addInsightsCommands(program: Command): void {
  databaseCommand(program, 'insights <id>', 'print the insights of act_ID, a campaign, ad set or ad', printInsights)
    .option(
      '--fields <names>',
      'metrics, ids and names, separated by commas; all metrics, and whose they are at --level, when left out',
    )
    .addOption(new Option('--date-preset <preset>', "Meta's name for a range of days").choices(DATE_PRESETS))
    .option('--since <day>', 'the first day, YYYY-MM-DD; beats --date-preset')
    .option('--until <day>', 'the last day, YYYY-MM-DD')
    .addOption(new Option('--level <level>', 'a row for each object of this level').choices(LEVELS))
    .addOption(new Option('--breakdowns <name>', 'a row for each value of it').choices(BREAKDOWNS))
    .option('--time-increment <slice>', 'a row for each slice: all_days, monthly, or so many days')
    .addOption(new Option('--region-policy <policy>', 'which regions are counted').choices(REGION_POLICIES))
    .addOption(new Option('--dated-by <dating>', 'on which day things are counted').choices(DATINGS))
    .addOption(tokenOption())
    .addOption(outputOption())
  databaseCommand(program, 'failures <id>', "count failed deliveries by day and Meta's reason", printFailures)
    .addOption(tokenOption())
    .addOption(outputOption())
}

function tokenOption(): Option {
  return new Option('--token <token>', 'see only what this access token may see').env('READOUT_TOKEN')
}

async function printInsights(
  { store, now_ms }: Database,
  options: InsightsOptions,
  [id = '']: string[],
): Promise<void> {
  const query = parseQuery(options)
  const reading = store.read(async (tables) => {
    const node = await findNode(tables, id, await readToken(tables, options.token, now_ms()))
    const source = { tables, directory: new Directory(), now: Temporal.Now.instant(), meta_history_limit: false }
    const insights = await readInsights(source, node, query)
    return Array.fromAsync(insights.rows, ({ row }) => insights.write(row))
  })
  const rows = await reading.catch(tellRefusal)
  await sayUnresolved(store)
  if (rows.length === 0) say(`nothing happened to ${id} in this range`)
  const fields = [...query.fields, ...DATE_FIELDS, ...(query.breakdown === undefined ? [] : [query.breakdown])]
  const columns = fields.map((key) => ({ key, label: METRIC_BY_FIELD.get(key)?.label ?? key }))
  printRows(columns, rows, options.output)
}

/** The parameters of the API that have an option each. */
const PARAMETER_OPTIONS = [
  ['date_preset', 'datePreset'],
  ['level', 'level'],
  ['breakdowns', 'breakdowns'],
  ['time_increment', 'timeIncrement'],
  ['region_policy', 'regionPolicy'],
  ['dated_by', 'datedBy'],
] as const

/** The same parser as of the API, so the same words mean the same. */
function parseQuery(options: InsightsOptions) {
  const { since, until, level } = options
  checkRange(since, until)
  const named = level === undefined ? [] : [`${level}_id`, `${level}_name`]
  const all = [...named, ...METRICS.map(({ field }) => field)].join(',')
  const parameters = new Map([['fields', options.fields ?? all]])
  for (const [name, option] of PARAMETER_OPTIONS) {
    const value = options[option]
    if (value !== undefined) parameters.set(name, value)
  }
  if (since !== undefined) parameters.set('time_range', JSON.stringify({ since, until }))
  try {
    return parseInsightsQuery(parameters)
  } catch (error) {
    return tellRefusal(error)
  }
}

/** What the API refuses is a mistake at the terminal. */
function tellRefusal(error: unknown): never {
  if (error instanceof GraphError) throw misused(`${error.text} (see: readout insights --help)`)
  throw error
}

function checkRange(since: string | undefined, until: string | undefined): void {
  if (since === undefined && until === undefined) return
  if (since === undefined || until === undefined) throw misused('--since and --until go together')
  for (const [option, text] of [
    ['--since', since],
    ['--until', until],
  ]) {
    if (parseDay(text as string) === undefined)
      throw misused(`${option} is ${text}: there is no such day; a day is YYYY-MM-DD`)
  }
  if (since > until) throw misused(`--since is ${since}, after --until, which is ${until}: exchange them`)
}

async function printFailures(
  { store, now_ms }: Database,
  options: { output: OutputMode; token?: string },
  [id = '']: string[],
): Promise<void> {
  const failures = await store.read(async (tables) =>
    tables.rollups.readFailures(await findNode(tables, id, await readToken(tables, options.token, now_ms()))),
  )
  await sayUnresolved(store)
  if (failures.length === 0) say(`no delivery to ${id} failed`)
  const rows = failures.map((failure) => ({ ...failure, day: formatDay(failure.day) }))
  printRows(FAILURE_COLUMNS, rows, options.output)
}

async function readToken({ tokens }: Tables, text: string | undefined, now_ms: number): Promise<Token | undefined> {
  if (text === undefined) return undefined
  const token = await tokens.read(hashToken(text))
  if (token !== undefined && !hasExpired(token, now_ms)) return token
  const why = token === undefined ? 'is unknown here, or was revoked' : 'has expired'
  throw new CliError(`the token ${why}; see: readout token list`, EXIT.unauthorized)
}

/** The node of this id, where the token may see it; without one, any. */
async function findNode({ registry }: Tables, id: string, token: Token | undefined): Promise<Node> {
  const node = await registry.readNode(id)
  const isVisible = token === undefined || (node !== undefined && token.accounts.has(node.account))
  if (node !== undefined && isVisible) return node
  const list = id.startsWith('act_') ? 'account' : 'campaign'
  throw new CliError(`there is no account, campaign, ad set or ad ${id}; see: readout ${list} list`)
}

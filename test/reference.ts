import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Option } from 'commander'
import { openProgram } from '../src/cli/program.ts'
import { DATABASE_SETTINGS, environmentName, SERVER_SETTINGS, type Setting } from '../src/cli/settings.ts'
import { DATE_PRESETS, resolveDatePreset } from '../src/domain/date-preset.ts'
import { METRICS, type Metric } from '../src/domain/metric.ts'
import { EUROPE } from '../src/domain/region.ts'
import { ANSWER_HEADERS } from '../src/graph/answer-headers.ts'
import { BATCH, BATCH_ITEM_PARAMETERS } from '../src/graph/batch.ts'
import { DEBUG_TOKEN_PARAMETERS } from '../src/graph/debug-token.ts'
import { EDGE_PARAMETERS, EDGES, type Edge } from '../src/graph/edge.ts'
import { GRAPH_ERRORS } from '../src/graph/error.ts'
import { EXCHANGE_PARAMETERS } from '../src/graph/exchange-token.ts'
import { BREAKDOWN_NAMES } from '../src/graph/field-names.ts'
import { OPERATORS } from '../src/graph/filtering.ts'
import { GLOBAL_PARAMETERS } from '../src/graph/global-parameters.ts'
import { BREAKDOWNS, INSIGHTS_PARAMETERS } from '../src/graph/insights-parameters.ts'
import { IDS } from '../src/graph/many.ts'
import { CAMPAIGN_PARAMETERS } from '../src/graph/message-campaign.ts'
import { NODE_PARAMETERS, NODE_TYPES } from '../src/graph/node-fields.ts'
import { ENDPOINTS } from '../src/graph/openapi.ts'
import type { Parameter } from '../src/graph/parameter.ts'
import { EXPORT } from '../src/graph/report-export.ts'
import { WEBHOOK_FIELDS } from '../src/ingest/webhook.ts'
import { Metrics } from '../src/operations.ts'
import { LIMITS } from './limits.ts'

/** The tables of the reference pages, made from the tables of the code: `<!-- table NAME -->` … `<!-- end -->`. */
const TABLES: Readonly<Record<string, () => string>> = {
  metrics: () => formatTable(['Field', 'Is', 'Counts classes', 'Meaning'], METRICS.map(metricRow)),
  europe: () => [...EUROPE].sort().join(' '),
  parameters: () => formatParameters(INSIGHTS_PARAMETERS),
  'filter operators': () => OPERATORS.map(code).join(' '),
  'breakdowns refused': () =>
    [...BREAKDOWN_NAMES]
      .filter((name) => BREAKDOWNS.every((known) => known !== name))
      .map(code)
      .join(' '),
  'global parameters': () => formatParameters(GLOBAL_PARAMETERS),
  'node parameters': () => formatParameters(NODE_PARAMETERS),
  'debug_token parameters': () => formatParameters(DEBUG_TOKEN_PARAMETERS),
  'exchange parameters': () => formatParameters(EXCHANGE_PARAMETERS),
  'answer headers': () =>
    formatTable(
      ['Header', 'Value'],
      ANSWER_HEADERS.map(({ name, meaning }) => [code(name), meaning]),
    ),
  'edge parameters': () => formatParameters(EDGE_PARAMETERS),
  'ids parameters': () => formatParameters([IDS]),
  'batch parameters': () => formatParameters(BATCH.parameters),
  'batch items': () => formatParameters(BATCH_ITEM_PARAMETERS),
  'campaign parameters': () => formatParameters(CAMPAIGN_PARAMETERS),
  'export parameters': () => formatParameters(EXPORT.parameters),
  'date presets': () => formatTable(['`date_preset`', 'On Wednesday 2026-03-18'], DATE_PRESETS.map(presetRow)),
  errors: () =>
    formatTable(
      ['HTTP', 'Code', 'Subcode', 'Type', 'When'],
      GRAPH_ERRORS.map((kind) => [`${kind.status}`, `${kind.code}`, `${kind.subcode ?? ''}`, kind.type, kind.when]),
    ),
  routes: () =>
    formatTable(
      ['Method', 'Path', 'Permission', 'Answers'],
      ENDPOINTS.map(({ method, path, permission, meaning }) => [method, code(path), permission, meaning]),
    ),
  edges: () => formatTable(['Edge', 'Of', 'Lists'], EDGES.map(edgeRow)),
  'node fields': () =>
    formatTable(['Node', 'Fields', 'Nodes and lists', 'When `fields` is absent'], NODES.map(nodeRow)),
  'left out fields': () =>
    formatTable(
      ['Node', 'Fields'],
      NODES.map((level) => [NODE_TYPES[level].name, [...NODE_TYPES[level].omitted].map(code).join(' ')]),
    ),
  'webhook fields': () =>
    formatTable(
      ['Page field', 'Fact'],
      [...WEBHOOK_FIELDS].map(([field, kind]) => [code(field), code(kind)]),
    ),
  ...Object.fromEntries(Object.keys(LIMITS).map((door) => [door, () => formatLimits(door)])),
  'server metrics': () => formatTable(['Metric', 'Is', 'Tells'], listServerMetrics()),
  settings: () => formatTable(['Flag', 'Environment', 'Default', 'Meaning'], SERVER_SETTINGS.map(settingRow)),
  commands: () => listCommands(openProgram()).map(formatCommand).join('\n'),
}

const NODES = ['user', 'account', 'campaign', 'adset', 'ad'] as const

const MARKED = /<!-- table (.+?) -->\n[\s\S]*?<!-- end -->/g
const DOCS = join(import.meta.dirname, '../docs')

/** Each page that holds a table, as it is and as it should be. */
export function readPages(): { file: string; text: string; expected: string }[] {
  return globSync('**/*.md', { cwd: DOCS }).map((file) => {
    const text = readFileSync(join(DOCS, file), 'utf8')
    const expected = text.replace(MARKED, (_, name: string) => {
      const table = TABLES[name]
      if (table === undefined) throw new Error(`docs/${file} asks for a table that nobody makes: ${name}`)
      return `<!-- table ${name} -->\n\n${table().trim()}\n\n<!-- end -->`
    })
    return { file, text, expected }
  })
}

/** The names of the tables that some page has to hold. */
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES)

if (import.meta.main) {
  for (const { file, expected } of readPages()) writeFileSync(join(DOCS, file), expected)
}

function metricRow({ field, formula, region_classes, meaning }: Metric): string[] {
  return [code(field), formula.kind, region_classes.join(' ').toUpperCase(), meaning]
}

function presetRow(preset: (typeof DATE_PRESETS)[number]): string[] {
  const today = Temporal.PlainDate.from('2026-03-18')
  const data = { since: Temporal.PlainDate.from('2026-01-10'), until: Temporal.PlainDate.from('2026-03-02') }
  const range = resolveDatePreset(preset, today, data)
  const isOfData = preset === 'maximum' || preset === 'data_maximum'
  return [
    code(preset),
    `${range?.since} to ${range?.until}${isOfData ? ', with data from 2026-01-10 to 2026-03-02' : ''}`,
  ]
}

function formatParameters(parameters: readonly Parameter[]): string {
  return formatTable(
    ['Parameter', 'Is', 'Meaning'],
    parameters.map(({ name, treatment, meaning }) => [code(name), treatment, meaning]),
  )
}

function formatLimits(door: string): string {
  const rows = (LIMITS[door] ?? []).map(({ name, value, what, past }) => [
    code(name),
    value.toLocaleString('en'),
    what,
    past,
  ])
  return formatTable(['Name', 'Limit', 'Of', 'Past it'], rows)
}

/** Without those that every Node program has. */
function listServerMetrics(): string[][] {
  const nothing = { queueDepth: () => 0, queueAge_ms: () => 0, sinceLastWebhook_ms: () => 0 }
  const { registry } = new Metrics({
    ...nothing,
    unreadyBecause: async () => undefined,
    awayBecause: async () => undefined,
  })
  const all = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('readout_'))
  return all.map(({ name, type, help }) => [code(name), String(type), help])
}

function edgeRow({ name, of, lists }: Edge): string[] {
  const nodes = of.map((level) => NODE_TYPES[level].name).join(', ')
  return [code(name), nodes, lists === undefined ? 'nothing' : NODE_TYPES[lists].name]
}

function nodeRow(level: (typeof NODES)[number]): string[] {
  const { name, fields, nested, defaults } = NODE_TYPES[level]
  const edges = EDGES.filter(({ of, lists }) => lists !== undefined && of.includes(level)).map((edge) => edge.name)
  const insights = level === 'user' ? [] : ['insights']
  const all = (names: readonly string[]) => names.map(code).join(' ')
  return [name, all([...fields.keys()]), all([...nested, ...edges, ...insights]), all(defaults)]
}

function settingRow(setting: Setting): string[] {
  const { flag, value, help } = setting
  const isOfAll = DATABASE_SETTINGS.includes(setting)
  return [
    code(`--${flag}${value === undefined ? '' : ` ${value}`}`),
    code(environmentName(setting)),
    setting.default === undefined ? '' : code(String(setting.default)),
    isOfAll ? `${help}; a setting of every command` : help,
  ]
}

function listCommands(command: Command): Command[] {
  const own = command.parent !== null && (command as Command & { _actionHandler: unknown })._actionHandler !== null
  return [...(own ? [command] : []), ...command.commands.flatMap(listCommands)]
}

function formatCommand(command: Command): string {
  const shared = new Set(SERVER_SETTINGS.map(({ flag }) => `--${flag}`))
  const options = command.options.filter(({ long }) => !shared.has(long ?? '')).map(formatOption)
  return `### \`${pathOf(command)}\`\n\n${sentence(command.description())}\n${options.length === 0 ? '' : `\n${options.join('\n')}\n`}`
}

function pathOf(command: Command): string {
  const names: string[] = []
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name())
  const values = command.registeredArguments.map((value) =>
    value.required ? `<${value.name()}>` : `[${value.name()}]`,
  )
  return [...names, ...values].join(' ')
}

function formatOption({ flags, description, argChoices, defaultValue, mandatory, envVar }: Option): string {
  const notes = [
    mandatory && 'required',
    argChoices && argChoices.length < 8 && `one of ${argChoices.map(code).join(', ')}`,
    defaultValue !== undefined && `default ${code(String(defaultValue))}`,
    envVar && code(envVar),
  ].filter((note) => note)
  return `- ${code(flags)}: ${description}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function code(text: string): string {
  return `\`${text}\``
}

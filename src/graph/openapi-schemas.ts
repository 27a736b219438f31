import { METRICS, type Metric } from '../domain/metric.ts'
import { LEVELS } from '../store/registry.ts'
import { EDGES } from './edge.ts'
import { GRAPH_ERRORS } from './error.ts'
import { DATE_FIELDS, FIELDS } from './field.ts'
import { BREAKDOWNS } from './insights-parameters.ts'
import { NODE_TYPES, type Subject } from './node-fields.ts'
import { RUN_FIELDS } from './report-run.ts'
import {
  anyOf,
  BOOLEAN,
  DAY,
  INTEGER,
  listOf,
  OBJECT,
  objectOf,
  type Schema,
  schemaNamed,
  TEXT,
  wordOf,
} from './schema.ts'

type Entries = readonly (readonly [name: string, schema: Schema])[]

const texts = (names: readonly string[]): Entries => names.map((name) => [name, TEXT])

/** Numbers are text as well, with at most six decimals (contract 5.4). */
const DECIMAL: Schema = { type: 'string', pattern: '^\\d+(\\.\\d{1,6})?$' }

const describeMetric = ({ field, formula, meaning }: Metric): Entries[number] => [
  field,
  { ...(formula.kind === 'currency' ? TEXT : DECIMAL), description: meaning },
]

/** A row carries what was asked for and is there; every value is text. That of a summary may be of no one range. */
const insightsRow = (required: readonly string[]): Schema => ({
  ...objectOf(
    Object.fromEntries([
      ...texts(LEVELS.flatMap((level) => [`${level}_id`, `${level}_name`])),
      ...texts(['account_currency']),
      ...METRICS.map(describeMetric),
      ...texts(BREAKDOWNS),
      ...DATE_FIELDS.map((name) => [name, DAY] as const),
    ]),
    required,
  ),
  additionalProperties: TEXT,
})

const PAGING = objectOf(
  {
    cursors: objectOf({ before: TEXT, after: TEXT }, ['before', 'after']),
    next: { ...TEXT, description: 'A link to the next page, which can be followed as it is.' },
    previous: { ...TEXT, description: 'A link to the page before.' },
  },
  ['cursors'],
)

/** A page that is empty has no `paging`. */
function pageOf(row: Schema, summary: Schema): Schema {
  return objectOf({ data: listOf(row), paging: schemaNamed('Paging'), summary }, ['data'])
}

const TOTAL = objectOf({ total_count: INTEGER }, ['total_count'])

/** The levels whose fields a node of a level can have: it answers those below it while they are one. */
const LEVELS_OF: Readonly<Record<Subject['level'], readonly Subject['level'][]>> = {
  user: ['user'],
  account: ['account'],
  campaign: ['campaign', 'adset', 'ad'],
  adset: ['adset', 'ad'],
  ad: ['ad'],
}

/** A node has the fields that were asked for and have a value, and its id in any case. */
function describeNode(level: Subject['level']): Schema {
  // Its own come last, where they win over the same of a level below it.
  const properties = LEVELS_OF[level].toReversed().flatMap(fieldsAt)
  return objectOf(Object.fromEntries(properties), ['id'])
}

function fieldsAt(level: Subject['level']): Entries {
  const { fields, nested } = NODE_TYPES[level]
  const edges = EDGES.filter(({ of, lists }) => lists !== undefined && of.includes(level))
  return [
    ...[...fields].map(([name, { schema }]) => [name, schema] as const),
    ...nested.map((one) => [one, schemaNamed(NODE_TYPES[one].name)] as const),
    ...edges.map(({ name, lists }) => [name, schemaNamed(pageName(lists))] as const),
    ...(level === 'user' ? [] : [['insights', schemaNamed('InsightsPage')] as const]),
  ]
}

/** The name of the page of a list of nodes. */
export function pageName(lists: Subject['level'] | undefined): string {
  return `${lists === undefined ? 'Empty' : NODE_TYPES[lists].name}Page`
}

const NODES = Object.keys(NODE_TYPES) as readonly Subject['level'][]

const RUN = objectOf(Object.fromEntries(Object.entries(RUN_FIELDS).map(([name, { schema }]) => [name, schema])), ['id'])

const DEBUGGED_TOKEN = objectOf(
  {
    data: objectOf(
      {
        is_valid: BOOLEAN,
        scopes: listOf(TEXT),
        granular_scopes: listOf(objectOf({ scope: TEXT, target_ids: listOf(TEXT) }, ['scope'])),
        user_id: TEXT,
        app_id: TEXT,
        application: TEXT,
        type: TEXT,
        issued_at: INTEGER,
        expires_at: INTEGER,
        data_access_expires_at: INTEGER,
        error: OBJECT,
      },
      ['is_valid', 'scopes'],
    ),
  },
  ['data'],
)

const distinct = <T>(values: readonly (T | undefined)[]) => [...new Set(values.filter((value) => value !== undefined))]

/** Meta's envelope (contract 7.1). */
const ERROR = objectOf(
  {
    error: objectOf(
      {
        message: TEXT,
        type: wordOf(distinct(GRAPH_ERRORS.map(({ type }) => type))),
        code: { ...INTEGER, enum: distinct(GRAPH_ERRORS.map(({ code }) => code)) },
        error_subcode: { ...INTEGER, enum: distinct(GRAPH_ERRORS.map(({ subcode }) => subcode)) },
        is_transient: BOOLEAN,
        error_user_title: TEXT,
        error_user_msg: TEXT,
        fbtrace_id: { ...TEXT, description: 'Names this answer in the log of the server.' },
      },
      ['message', 'type', 'code', 'fbtrace_id'],
    ),
  },
  ['error'],
)

/** What answers are made of, by name, out of the tables that fill them. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  InsightsField: wordOf(FIELDS),
  InsightsRow: insightsRow(DATE_FIELDS),
  InsightsSummary: insightsRow([]),
  InsightsPage: pageOf(schemaNamed('InsightsRow'), schemaNamed('InsightsSummary')),
  ReportStarted: objectOf({ report_run_id: TEXT }, ['report_run_id']),
  AdReportRun: RUN,
  ...Object.fromEntries(NODES.map((level) => [NODE_TYPES[level].name, describeNode(level)])),
  ...Object.fromEntries(LEVELS.map((level) => [pageName(level), pageOf(schemaNamed(NODE_TYPES[level].name), TOTAL)])),
  [pageName(undefined)]: pageOf({}, TOTAL),
  Node: anyOf(...NODES.map((level) => schemaNamed(NODE_TYPES[level].name))),
  DebuggedToken: DEBUGGED_TOKEN,
  Paging: PAGING,
  Error: ERROR,
}

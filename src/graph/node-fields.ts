import { CAMPAIGN_STATUSES, type CampaignState, type Level } from '../store/registry.ts'
import {
  ACCOUNT_NAMES_OMITTED,
  AD_NAMES_OMITTED,
  ADSET_NAMES_OMITTED,
  CAMPAIGN_NAMES_OMITTED,
} from './node-field-names.ts'
import { answered, type Parameter } from './parameter.ts'
import { BOOLEAN, INTEGER, listOf, NUMBER, OBJECT, objectOf, type Schema, TEXT, wordOf } from './schema.ts'

export type Json = unknown
export type JsonObject = Record<string, Json>

/** What fields can be asked of: a node, or the user that a token stands for. */
export interface Subject {
  readonly level: Level | 'user'
  /** `campaign_id`, `campaign_name`, …, of its own level and those above. */
  readonly names: Readonly<Record<string, string>>
  readonly currency: string
  readonly time_zone: string
  readonly campaign?: CampaignState
}

/** How a field is filled; `undefined` leaves it out. */
export type Fill = (subject: Subject, now: Temporal.Instant) => Json

/** A field of a node: what its value looks like, and how it is filled. */
interface NodeField {
  readonly schema: Schema
  readonly fill: Fill
}

/** What is asked of a node, by whatever path. */
export const FIELDS_OF_NODE: Parameter = answered(
  'fields',
  'What a node is to answer, such as `name,ads.limit(5){id,name}`.',
  listOf(TEXT),
)

export const NODE_PARAMETERS: readonly Parameter[] = [FIELDS_OF_NODE]

/** One of Meta's types of node, and its fields. */
export interface NodeType {
  /** Meta's name of it, in errors. */
  readonly name: string
  /** What is answered when `fields` is absent (contract 9.5). */
  readonly defaults: readonly string[]
  readonly fields: ReadonlyMap<string, NodeField>
  /** Nodes above it that can stand in its place of a field. */
  readonly nested: readonly Level[]
  /** Meta's names that we have no value for. */
  readonly omitted: ReadonlySet<string>
}

/** Its own id, as paths name it; an account's begins with `act_` (contract 1.5). */
export function idOf({ level, names }: Subject): string {
  return `${level === 'account' ? 'act_' : ''}${names[`${level}_id`]}`
}

const field = (schema: Schema, fill: Fill): NodeField => ({ schema, fill })
const named = (name: string, schema = TEXT) => field(schema, (subject) => subject.names[name])
const detail = (name: string, schema = TEXT) => field(schema, (subject) => subject.campaign?.details[name])
const id = field(TEXT, idOf)
const status = field(wordOf(CAMPAIGN_STATUSES), ({ campaign }) => campaign?.status)

const fieldsOf = (fields: Readonly<Record<string, NodeField>>): NodeType['fields'] => new Map(Object.entries(fields))

/** What a campaign shares with its ad sets and ads. */
const OF_CAMPAIGN: Readonly<Record<string, NodeField>> = {
  account_id: named('account_id'),
  status,
  configured_status: status,
  effective_status: status,
  created_time: field(TEXT, ({ campaign, time_zone }) => formatTime(campaign?.created_at, time_zone)),
  updated_time: field(TEXT, ({ campaign, time_zone }) => formatTime(campaign?.updated_at, time_zone)),
}

const BUDGET: Readonly<Record<string, NodeField>> = {
  daily_budget: detail('daily_budget'),
  lifetime_budget: detail('lifetime_budget'),
  start_time: detail('start_time'),
  promoted_object: detail('promoted_object', OBJECT),
}

export const NODE_TYPES: Readonly<Record<Subject['level'], NodeType>> = {
  user: {
    name: 'User',
    defaults: ['name', 'id'],
    fields: fieldsOf({ id, name: named('user_name') }),
    nested: [],
    omitted: new Set(['email', 'first_name', 'last_name', 'middle_name', 'name_format', 'picture', 'short_name']),
  },
  account: {
    name: 'AdAccount',
    defaults: ['account_id', 'id'],
    fields: fieldsOf({
      id,
      account_id: named('account_id'),
      name: named('account_name'),
      currency: named('account_currency'),
      account_status: field(INTEGER, () => 1),
      timezone_name: field(TEXT, ({ time_zone }) => time_zone),
      timezone_offset_hours_utc: field(
        NUMBER,
        ({ time_zone }, now) => now.toZonedDateTimeISO(time_zone).offsetNanoseconds / 3.6e12,
      ),
    }),
    nested: [],
    omitted: new Set(ACCOUNT_NAMES_OMITTED),
  },
  campaign: {
    name: 'Campaign',
    defaults: ['id'],
    fields: fieldsOf({
      id,
      name: named('campaign_name'),
      ...OF_CAMPAIGN,
      ...BUDGET,
      stop_time: detail('end_time'),
      is_message_campaign: field(BOOLEAN, () => true),
      is_direct_send_campaign: field(BOOLEAN, () => true),
    }),
    nested: [],
    omitted: new Set(CAMPAIGN_NAMES_OMITTED),
  },
  adset: {
    name: 'AdSet',
    defaults: ['id'],
    fields: fieldsOf({
      id,
      name: named('adset_name'),
      campaign_id: named('campaign_id'),
      ...OF_CAMPAIGN,
      ...BUDGET,
      end_time: detail('end_time'),
    }),
    nested: ['campaign'],
    omitted: new Set(ADSET_NAMES_OMITTED),
  },
  ad: {
    name: 'Ad',
    defaults: ['id'],
    fields: fieldsOf({
      id,
      name: named('ad_name'),
      adset_id: named('adset_id'),
      campaign_id: named('campaign_id'),
      ...OF_CAMPAIGN,
      creative: field(
        objectOf({ actor_id: TEXT }),
        ({ campaign }) => campaign?.details.page_id && { actor_id: campaign.details.page_id },
      ),
    }),
    nested: ['campaign', 'adset'],
    omitted: new Set(AD_NAMES_OMITTED),
  },
}

/** The levels whose fields a node answers: its own, and those below it while that is one (contract 1.3). */
export function levelsOf({ level, names }: Subject): readonly Subject['level'][] {
  const below = (['campaign', 'adset', 'ad'] as const).filter((one) => names[`${one}_id`] !== undefined)
  return [level, ...below.slice(below.indexOf(level as 'ad') + 1)]
}

/** As Meta writes a time: in the account's zone, with its offset. */
function formatTime(time_ms: number | null | undefined, time_zone: string): string | undefined {
  if (time_ms === null || time_ms === undefined) return undefined
  const time = Temporal.Instant.fromEpochMilliseconds(time_ms).toZonedDateTimeISO(time_zone)
  return `${time.toPlainDateTime().toString({ smallestUnit: 'second' })}${time.offset.replace(':', '')}`
}

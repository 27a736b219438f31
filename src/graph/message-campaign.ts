import { IdTakenError, registerAd } from '../store/register-ad.ts'
import type { Context } from './context.ts'
import { formatValue, isEmpty, parseObject, parseText, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { missingObject, readVisibleNode } from './node.ts'
import { answered, type Parameter, required } from './parameter.ts'
import type { Parameters } from './parameters.ts'
import { DIGITS, OBJECT, type Schema } from './schema.ts'

const NAME: Schema = { type: 'string', pattern: '^[\\s\\S]{1,400}$' }
const BUDGET: Schema = { type: 'string', pattern: '^\\d{1,15}$' }
const TIME: Schema = {
  type: 'string',
  pattern: '^(\\d{1,11}|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d)?(Z|[+\\-]\\d\\d:?\\d\\d))$',
}

/** What Meta's page documents of a campaign, and our own `id` (contract 1.1, 1.7, 1.8). */
export const CAMPAIGN_PARAMETERS: readonly Parameter[] = [
  required('id', "Ours: the id that Meta's answer to the same call gave.", DIGITS),
  answered('name', 'What the campaign is called; its id when left out.', NAME),
  answered(
    'adset_id',
    'Ours: the ad set, where it has an id of its own; else it is that of `ad_id`, or the only one, or `id`.',
    DIGITS,
  ),
  answered('adset_name', 'Ours: what that ad set is called; its id when left out.', NAME),
  answered(
    'ad_id',
    'Ours: the ad, which webhooks name as `message_id`, where it has an id of its own; else it is `id`.',
    DIGITS,
  ),
  answered('ad_name', 'Ours: what that ad is called; its id when left out.', NAME),
  answered('page_id', 'The Page that sends; read back as `creative{actor_id}`.', DIGITS),
  answered('daily_budget', "In the currency's smallest unit.", BUDGET),
  answered('lifetime_budget', "In the currency's smallest unit.", BUDGET),
  answered('start_time', 'A Unix timestamp, or a time as Meta writes one: `2026-11-20T07:00:00-0500`.', TIME),
  answered('end_time', 'The same, and not before `start_time`; a campaign reads it back as `stop_time`.', TIME),
  answered('promoted_object', 'An object, such as `{"pixel_id":"1"}`.', OBJECT),
]

/** What the value of a parameter must be, for those who sent another. */
const EXPECTED: ReadonlyMap<Schema, string> = new Map([
  [DIGITS, '1 to 20 digits'],
  [NAME, 'a text of 1 to 400 characters'],
  [BUDGET, "1 to 15 digits, in the currency's smallest unit"],
  [TIME, 'a Unix timestamp in seconds, or a time with its offset such as 2026-11-20T07:00:00-0500'],
  [OBJECT, 'an object of at most 1000 characters, such as {"pixel_id":"1"}'],
])

/** Characters of an object that is only read back. */
export const OBJECT_LENGTH_MAX = 1000

const SECONDS = 1000

const ID_MISSING =
  'id is required: this is Readout, which measures campaigns and makes none; create the campaign at Meta, and send the ' +
  'same call here with the id that Meta answered'

/**
 * Registers a campaign that was made at Meta (design 2: its one id stands on all three levels). Safe to repeat:
 * what is named changes, the rest stays, and a deleted campaign is listed again.
 */
export async function registerCampaign(context: Context): Promise<{ id: string }> {
  const { call, tables, now } = context
  const node = await readVisibleNode(context, call.path.id)
  if (node.level !== 'account') throw missingObject(call.method, call.path.id ?? '')
  const { id, name, adset_id, adset_name, ad_id, ad_name, ...said } = parseCampaign(call.parameters)
  if (id === undefined) throw new GraphError(INVALID_PARAMETER, ID_MISSING)
  if (adset_name !== undefined && adset_id === undefined) throw nameAlone('adset')
  if (ad_name !== undefined && ad_id === undefined) throw nameAlone('ad')
  const updated_at = now.epochMilliseconds
  const ad = { account: node.account, campaign_id: id, campaign_name: name, adset_id, adset_name, ad_id, ad_name }
  await registerAd(tables.registry, ad, updated_at).catch(asRefused)
  const known = await tables.registry.readNode(id, 'campaign')
  const details = { ...known?.campaign?.details, ...said }
  checkTimes(details)
  await tables.registry.setCampaign(id, { status: 'ACTIVE', details, updated_at })
  return { id }
}

/** Takes a campaign off the lists; its ledger stays, and its insights are answered as ever. */
export async function deleteCampaign(context: Context): Promise<{ success: boolean }> {
  const { call, tables, now } = context
  const node = await readVisibleNode(context, call.path.id)
  const campaign_id = node.names.campaign_id
  if (node.level !== 'campaign' || campaign_id === undefined) throw missingObject(call.method, call.path.id ?? '')
  await tables.registry.setCampaign(campaign_id, { status: 'DELETED', updated_at: now.epochMilliseconds })
  return { success: true }
}

/** Says nothing of where an id is known: that may be another tenant's. */
function asRefused(error: unknown): never {
  if (!(error instanceof IdTakenError)) throw error
  throw new GraphError(
    INVALID_PARAMETER,
    `${error.id} cannot be registered so in this ad account: the id is known elsewhere, or as something else`,
  )
}

function nameAlone(level: 'adset' | 'ad'): GraphError {
  return new GraphError(INVALID_PARAMETER, `${level}_name needs ${level}_id, which says whose name it is`)
}

/** What was said of a campaign at different times must agree too. */
function checkTimes({ start_time, end_time }: Readonly<Record<string, unknown>>): void {
  if (start_time === undefined || end_time === undefined) return
  const [start, end] = [instantOf(String(start_time)), instantOf(String(end_time))]
  if (start === undefined || end === undefined || start <= end) return
  throw new GraphError(
    INVALID_PARAMETER,
    `end_time ${end_time} is before start_time ${start_time}: name an end_time that is not, or both`,
  )
}

/** Milliseconds since 1970; `undefined` for what is no time. */
function instantOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * SECONDS
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    return undefined
  }
}

interface CampaignSaid {
  readonly id?: string
  readonly name?: string
  readonly adset_id?: string
  readonly adset_name?: string
  readonly ad_id?: string
  readonly ad_name?: string
  /** What is only read back. */
  readonly [name: string]: unknown
}

function parseCampaign(parameters: Parameters): CampaignSaid {
  const said: Record<string, unknown> = {}
  for (const { name, schema } of CAMPAIGN_PARAMETERS) {
    const value = parameters.get(name)
    if (value !== undefined && !isEmpty(value)) said[name] = parseSaid(name, schema, value)
  }
  return said
}

function parseSaid(name: string, schema: Schema, value: Value): unknown {
  const text = typeof value === 'string' ? parseText(value) : formatValue(value)
  const said = schema === OBJECT ? parseSmallObject(value, text) : parseMatching(schema, text)
  if (said !== undefined) return said
  throw new GraphError(INVALID_PARAMETER, `${name} cannot be ${text.slice(0, 100)}: it must be ${EXPECTED.get(schema)}`)
}

function parseSmallObject(value: Value, text: string): object | undefined {
  const object = text.length <= OBJECT_LENGTH_MAX ? parseObject(value) : undefined
  return object && Object.fromEntries([...object].map(([key, one]) => [key, formatValue(one)]))
}

function parseMatching(schema: Schema, text: string): string | undefined {
  const isMatching = new RegExp(String(schema.pattern), 'u').test(text)
  return isMatching && (schema !== TIME || instantOf(text) !== undefined) ? text : undefined
}

import { singleIdAd } from '../store/admission.ts'
import { RegistryError } from '../store/registry.ts'
import type { Context } from './context.ts'
import { formatValue, isEmpty, parseObject, parseText, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { missingObject, readVisibleNode } from './node.ts'
import { answered, type Parameter, required } from './parameter.ts'
import type { Parameters } from './parameters.ts'
import { DIGITS, OBJECT, type Schema } from './schema.ts'

const BUDGET: Schema = { type: 'string', pattern: '^\\d{1,15}$' }
const TIME: Schema = { type: 'string', pattern: '^[\\w:+. \\-]{1,40}$' }

/** What Meta's page documents of a campaign, and our own `id` (contract 1.1, 1.7, 1.8). */
export const CAMPAIGN_PARAMETERS: readonly Parameter[] = [
  required('id', "Ours: the id that Meta's answer to the same call gave.", DIGITS),
  answered('name', 'What the campaign is called; its id when left out.', {
    type: 'string',
    pattern: '^[\\s\\S]{1,400}$',
  }),
  answered('page_id', 'The Page that sends; read back as `creative{actor_id}`.', DIGITS),
  answered('daily_budget', "In the currency's smallest unit.", BUDGET),
  answered('lifetime_budget', "In the currency's smallest unit.", BUDGET),
  answered('start_time', 'A Unix timestamp, or a time as Meta writes one.', TIME),
  answered('end_time', 'The same; a campaign reads it back as `stop_time`.', TIME),
  answered('promoted_object', 'An object, such as `{"pixel_id":"1"}`.', OBJECT),
]

/** What the text of a parameter must look like; an object has no pattern. */
const PATTERNS: ReadonlyMap<string, RegExp> = new Map(
  CAMPAIGN_PARAMETERS.flatMap(({ name, schema: { pattern } }) =>
    typeof pattern === 'string' ? [[name, new RegExp(pattern, 'u')]] : [],
  ),
)

/** Characters of an object that is only read back. */
export const OBJECT_LENGTH_MAX = 1000

const ID_MISSING =
  'id is required: this is Readout, which measures campaigns and makes none; create the campaign at Meta, and send the ' +
  'same call here with the id that Meta answered'

/** Registers a campaign that was made at Meta (design 2: its one id stands on all three levels). Safe to repeat. */
export async function registerCampaign(context: Context): Promise<{ id: string }> {
  const { call, tables, now } = context
  const node = await readVisibleNode(context, call.path.id)
  if (node.level !== 'account') throw missingObject(call.method, call.path.id ?? '')
  const { id, name, ...details } = parseCampaign(call.parameters)
  if (id === undefined) throw new GraphError(INVALID_PARAMETER, ID_MISSING)
  const updated_at = now.epochMilliseconds
  const known = await tables.registry.readNode(id)
  if (known !== undefined && (known.account !== node.account || known.level !== 'campaign')) throw idTaken(id)
  if (known === undefined) await addAd(context, id, node.account)
  await tables.registry.setCampaign(id, { name, status: 'ACTIVE', details, updated_at })
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

async function addAd({ tables, now }: Context, id: string, account: number): Promise<void> {
  try {
    await tables.registry.addAd(singleIdAd(id, account), now.epochMilliseconds)
  } catch (error) {
    throw error instanceof RegistryError ? idTaken(id) : error
  }
}

/** Says nothing of where: that may be another tenant's. */
function idTaken(id: string): GraphError {
  return new GraphError(INVALID_PARAMETER, `id ${id} cannot be registered as a campaign of this ad account`)
}

interface CampaignSaid {
  readonly id?: string
  readonly name?: string
  /** What is only read back. */
  readonly [name: string]: unknown
}

function parseCampaign(parameters: Parameters): CampaignSaid {
  const said: Record<string, unknown> = {}
  for (const { name } of CAMPAIGN_PARAMETERS) {
    const value = parameters.get(name)
    if (value !== undefined && !isEmpty(value)) said[name] = parseSaid(name, value)
  }
  return said
}

function parseSaid(name: string, value: Value): unknown {
  const pattern = PATTERNS.get(name)
  const text = typeof value === 'string' ? parseText(value) : formatValue(value)
  if (pattern?.test(text)) return text
  const object = pattern === undefined && text.length <= OBJECT_LENGTH_MAX ? parseObject(value) : undefined
  if (object === undefined) throw new GraphError(INVALID_PARAMETER, `${name} cannot be ${text.slice(0, 100)}`)
  return Object.fromEntries([...object].map(([key, one]) => [key, formatValue(one)]))
}

import { type AdFields, type Registry, RegistryError } from './registry.ts'

/** A campaign, and what is said of an ad set and an ad of it. */
export interface AdSaid {
  readonly account: number
  readonly campaign_id: string
  readonly campaign_name?: string | undefined
  readonly adset_id?: string | undefined
  readonly adset_name?: string | undefined
  readonly ad_id?: string | undefined
  readonly ad_name?: string | undefined
}

/** Thrown for an id that is another account's, or something else already. The message is for administrators only. */
export class IdTakenError extends RegistryError {
  readonly id: string

  constructor(id: string) {
    super(
      `cannot register ${id}: the id is known in another account, or as something else; see: readout campaign list, ` +
        'and readout campaign move',
    )
    this.id = id
  }
}

const LEVELS_OF_ADS = ['campaign', 'adset', 'ad'] as const

type LevelOfAds = (typeof LEVELS_OF_ADS)[number]

/**
 * Registers a campaign with an ad set and an ad, or names them: what is not said stays. An ad set that is not said is the one that the
 * ad is in, or the campaign's only one; any other id that is not said is the campaign's own (design 2). Safe to repeat. Throws an
 * IdTakenError.
 */
export async function registerAd(registry: Registry, said: AdSaid, at_ms: number): Promise<void> {
  const ad = completeAd({ ...said, adset_id: said.adset_id ?? (await findAdset(registry, said)) })
  const named = LEVELS_OF_ADS.filter((level) => said[`${level}_id`] !== undefined)
  const deepest = named.at(-1) ?? 'campaign'
  const isNew = (await registry.readNode(ad[`${deepest}_id`], deepest)) === undefined
  for (const level of isNew ? LEVELS_OF_ADS : named) await refuseTaken(registry, ad, level)
  if (isNew) {
    if ((await registry.readPlacement(ad.ad_id)) !== undefined) throw new IdTakenError(ad.ad_id)
    await registry.addAd(ad, at_ms)
  }
  for (const level of named) {
    const name = said[`${level}_name`]
    if (name === undefined) continue
    await registry.rename(level, ad[`${level}_id`], name)
    await registry.setCampaign(ad.campaign_id, { updated_at: at_ms })
  }
}

/** Where an ad goes of which no ad set is said. */
async function findAdset(registry: Registry, { campaign_id, ad_id }: AdSaid): Promise<string | undefined> {
  if (ad_id === undefined) return undefined
  const ad = await registry.readNode(ad_id, 'ad')
  const campaign = await registry.readNode(campaign_id, 'campaign')
  // The names of a node have the ids of what is below it, while that is one.
  if (ad?.names.campaign_id === campaign_id) return ad.names.adset_id
  const only = campaign?.names.adset_id
  // What has the id of an ad as well is that ad's own, and takes no other.
  return only === undefined || only === ad_id || (await registry.readNode(only, 'ad')) !== undefined ? undefined : only
}

function completeAd(said: AdSaid): AdFields {
  const { account, campaign_id, adset_id = campaign_id, ad_id = campaign_id } = said
  const campaign_name = said.campaign_name ?? campaign_id
  const nameOf = (id: string) => (id === campaign_id ? campaign_name : id)
  const adset_name = said.adset_name ?? nameOf(adset_id)
  const ad_name = said.ad_name ?? nameOf(ad_id)
  return { account, campaign_id, campaign_name, adset_id, adset_name, ad_id, ad_name }
}

/** Each id may be known already where it is said to stand, and that of the campaign below it as well. */
async function refuseTaken(registry: Registry, ad: AdFields, role: LevelOfAds): Promise<void> {
  const id = ad[`${role}_id`]
  for (const level of LEVELS_OF_ADS) {
    const node = await registry.readNode(id, level)
    if (node === undefined) continue
    const isHere = node.account === ad.account && node.names.campaign_id === ad.campaign_id
    const isSaid = id === ad[`${level}_id`] && (level !== 'ad' || node.names.adset_id === ad.adset_id)
    if (!isHere || !(isSaid || id === ad.campaign_id)) throw new IdTakenError(id)
  }
}

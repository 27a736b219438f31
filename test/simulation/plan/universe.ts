import type { AccountFields, AdFields } from '../../../src/store/registry.ts'

/** Who there is from the beginning. The shared page leads to two accounts, and two pages lead to none. */
export const ACCOUNTS: readonly Omit<AccountFields, 'time_zone'>[] = [
  { account_id: '1', name: 'One', currency: 'USD', page_ids: ['101', '103'] },
  { account_id: '2', name: 'Two', currency: 'KRW', page_ids: ['102', '103'] },
  { account_id: '3', name: 'Three', currency: 'EUR', page_ids: [] },
]

export const REGISTERED_CAMPAIGN = '600'

/** A campaign of two ad sets and three ads, registered in the first account from the beginning. */
export const REGISTERED_ADS: readonly Omit<AdFields, 'account'>[] = ['800', '801', '802'].map((ad_id, i) => {
  const adset_id = i < 2 ? '700' : '701'
  const campaign = { campaign_id: REGISTERED_CAMPAIGN, campaign_name: REGISTERED_CAMPAIGN }
  return { ...campaign, adset_id, adset_name: adset_id, ad_id, ad_name: ad_id }
})

export const REGISTERED_IN = '1'

/** Which page tells of which ad. Only of ads that are registered from the beginning do several pages tell. */
export const AD_PAGES: Readonly<Record<string, readonly string[]>> = {
  '800': ['101', '101', '101', '102'],
  '801': ['101', '101', '103'],
  '802': ['101', '101', '105'],
  '500': ['101'],
  '501': ['101'],
  '502': ['101'],
  '503': ['101'],
  '510': ['102'],
  '511': ['102'],
  '520': ['103'],
  '521': ['103'],
  '530': ['104'],
  '540': ['105'],
}

/** The one that whole crowds are sent: it registers itself. */
export const CROWDED_AD = '500'

export const PAGES = ['101', '102', '103', '104', '105']

/** Campaigns known by one id only; the shared page's, and those of pages without an account, wait to be claimed. */
export const SINGLE_IDS = Object.keys(AD_PAGES).filter((ad_id) => ad_id.startsWith('5'))

/** The campaign of an ad. */
export function campaignOf(ad_id: string): string {
  return SINGLE_IDS.includes(ad_id) ? ad_id : REGISTERED_CAMPAIGN
}

/** The pages that tell of a campaign. */
export function pagesOf(campaign_id: string): string[] {
  const pages = Object.entries(AD_PAGES).flatMap(([ad_id, ids]) => (campaignOf(ad_id) === campaign_id ? ids : []))
  return [...new Set(pages)]
}

/** What insights are asked of, each with its own level and those below it. */
export const NODES: Readonly<Record<string, readonly ('account' | 'campaign' | 'adset' | 'ad')[]>> = {
  act_1: ['account', 'campaign', 'adset', 'ad'],
  act_2: ['account', 'campaign', 'adset', 'ad'],
  act_3: ['account', 'campaign', 'adset', 'ad'],
  [REGISTERED_CAMPAIGN]: ['campaign', 'adset', 'ad'],
  '700': ['adset', 'ad'],
  '801': ['ad'],
  ...Object.fromEntries(SINGLE_IDS.map((id) => [id, ['campaign', 'adset', 'ad'] as const])),
}

/** Clocks that go forward and back, by a whole hour and by half of one, at both ends of the day and in neither. */
export const TIME_ZONES = [
  'UTC',
  'America/New_York',
  'America/St_Johns',
  'Europe/Berlin',
  'Africa/Cairo',
  'Asia/Kolkata',
  'Asia/Seoul',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
]

/** Nights in which clocks change somewhere, and ends of months and years. */
export const NOTABLE_TIMES = [
  '2026-03-08T07:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-04-04T15:00:00Z',
  '2026-10-03T15:30:00Z',
  '2026-10-25T01:00:00Z',
  '2026-10-29T21:00:00Z',
  '2026-11-01T06:00:00Z',
  '2026-02-28T23:00:00Z',
  '2026-12-31T23:00:00Z',
  '2028-02-29T12:00:00Z',
].map((time) => Temporal.Instant.from(time).epochMilliseconds)

export const COUNTRIES = ['DE', 'FR', 'JP', 'KR', 'TR', 'AR', 'BR', 'US', 'IN']

export const BUTTONS = ['Buy', 'See more']

/** What whoever asks shows: it reads every account. */
export const TOKEN = 'token'

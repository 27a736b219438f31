export type Level = 'account' | 'campaign' | 'adset' | 'ad'

/** What insights are asked for. */
export interface Question {
  readonly node: string
  readonly level: Level
  readonly dates: Preset | { readonly since: string; readonly until: string }
  readonly time_increment: 'all_days' | 'monthly' | number
  readonly breakdown: Breakdown | undefined
  readonly region_policy: 'documented' | 'all'
  readonly dated_by: 'event' | 'delivery'
}

export const HOURLY = 'hourly_stats_aggregated_by_advertiser_time_zone'
export const BUTTON = 'marketing_messages_btn_name'

export type Breakdown = 'country' | typeof HOURLY | typeof BUTTON

/** The presets that are asked for; the others are in tests of their own. */
export const PRESETS = [
  'today',
  'yesterday',
  'last_3d',
  'last_7d',
  'last_30d',
  'this_month',
  'last_month',
  'this_week_mon_today',
  'maximum',
  'data_maximum',
] as const

export type Preset = (typeof PRESETS)[number]

export const METRICS = [
  'sent',
  'delivered',
  'delivery_rate',
  'read',
  'read_rate',
  'link_btn_click',
  'link_btn_click_rate',
  'spend',
  'cost_per_delivered',
  'cost_per_link_btn_click',
  'spend_currency',
].map((name) => `marketing_messages_${name}`)

/** The query of a question, as a client writes it. */
export function formatQuery(question: Question): string {
  const { level, dates, time_increment, breakdown, region_policy, dated_by } = question
  const query = new URLSearchParams({
    fields: [...METRICS, `${level}_id`].join(','),
    level,
    time_increment: String(time_increment),
    region_policy,
    dated_by,
    limit: '5000',
    ...(typeof dates === 'string' ? { date_preset: dates } : { time_range: JSON.stringify(dates) }),
    ...(breakdown !== undefined && { breakdowns: breakdown }),
  })
  return query.toString()
}

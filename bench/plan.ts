/** How large a run is. */
export interface Plan {
  readonly name: 'full' | 'quick'
  /** How often a figure of a table in the issues is measured; the one in the middle counts. */
  readonly rounds: number
  /** The same for the import alone, which is long. */
  readonly import_rounds: number
  /** Facts of the import whose speed is measured. */
  readonly import_facts: number
  /** Facts of the history that the server answers from. */
  readonly history_facts: number
  /** Campaigns of the history, in two accounts of equal size. */
  readonly campaigns: number
  /** Months of campaigns that follow one another where messages pile up, and the facts of each. */
  readonly cohorts: number
  readonly cohort_facts: number
  /** Ads of the account that is read to the end, each with facts on every day. */
  readonly deep_ads: number
  /** Before each measured run; none when 0. */
  readonly warm_up_s: number
  /** Facts of the first webhooks; their speed tells how many the measured run needs, where they are not it. */
  readonly first_facts: number
  readonly run_s: number
  /** How long one loop of a limit takes at least. */
  readonly limit_ms: number
}

/** What the issues' figures are measured with. */
export const FULL: Plan = {
  name: 'full',
  rounds: 5,
  import_rounds: 3,
  import_facts: 5_000_000,
  history_facts: 600_000,
  campaigns: 2000,
  cohorts: 100,
  cohort_facts: 540_000,
  deep_ads: 10_000,
  warm_up_s: 2,
  first_facts: 60_000,
  run_s: 3,
  limit_ms: 700,
}

/** The same on PostgreSQL, in a fifth of the time. */
export const POSTGRES: Plan = {
  ...FULL,
  rounds: 3,
  import_facts: 300_000,
  history_facts: 300_000,
  deep_ads: 1000,
}

/** Enough to see that everything is measured and right; far too short to judge a figure by. */
export const QUICK: Plan = {
  name: 'quick',
  rounds: 1,
  import_rounds: 1,
  import_facts: 10_000,
  history_facts: 20_000,
  campaigns: 200,
  cohorts: 4,
  cohort_facts: 5_000,
  deep_ads: 200,
  warm_up_s: 0,
  first_facts: 60_000,
  run_s: 1,
  limit_ms: 50,
}

/** Ads that messages are sent for at a time, where many facts come in. */
export const ACTIVE_ADS = 100

/** Webhooks of one change a second, of which each must be acknowledged soon. */
export const STEADY_WEBHOOKS_PER_S = 5000

/** Facts a second that the server is kept busy with while it answers. */
export const BUSY_FACTS_PER_S = 20_000

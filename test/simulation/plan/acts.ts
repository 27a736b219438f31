import type { SandboxEvent } from '../../../src/sandbox/event.ts'
import type { Random, Weighted } from '../../../src/sandbox/random.ts'
import { DAY_MS, formatDate, one, planDay, type Scene } from './scene.ts'
import type { Act, CountryRow, RateRow } from './step.ts'
import { ACCOUNTS, BUTTONS, COUNTRIES, campaignOf, PAGES, pagesOf, TIME_ZONES } from './universe.ts'

/** What administrators do, and how often. */
export const ACTS: Weighted<Act['kind']> = [
  ['zone', 3],
  ['rates', 3],
  ['countries', 3],
  ['import', 3],
  ['claim', 4],
  ['move', 3],
  ['link', 4],
  ['unlink', 1],
  ['prune', 4],
  ['forget', 1],
]

/** What they do in the middle of it all; the others wait until the server has caught up. */
export const HASTY_ACTS = ACTS.filter(([kind]) => ['zone', 'rates', 'countries', 'import', 'forget'].includes(kind))

/** What an administrator does at a time: who moves a campaign often links the pages that tell of it before. */
export function planActs(random: Random, kinds: Weighted<Act['kind']>, scene: Scene, at_ms: number): Act[] {
  const act = planAct(random, kinds, scene, at_ms)
  if (act.kind !== 'move' || random.chance(0.4)) return [act]
  const { campaign_id, account_id } = act
  return [...pagesOf(campaign_id).map((page_id): Act => ({ kind: 'link', page_id, account_id })), act]
}

function planAct(random: Random, kinds: Weighted<Act['kind']>, scene: Scene, at_ms: number): Act {
  const kind = random.pick(kinds)
  const account_id = one(random, ACCOUNTS).account_id
  switch (kind) {
    case 'zone':
      return { kind, account_id, time_zone: one(random, TIME_ZONES) }
    case 'rates':
      return { kind, account_id, rates: planRates(random, scene) }
    case 'countries':
      return { kind, rows: planCountries(random, scene) }
    case 'import':
      return { kind, events: planImport(random, scene) }
    case 'claim':
    case 'move':
      return { kind, campaign_id: campaignOf(one(random, scene.ads)), account_id }
    case 'link':
    case 'unlink':
      return { kind, page_id: one(random, PAGES), account_id }
    case 'prune':
      return { kind, account_id, before: formatDate(at_ms + random.integer(-1, 1) * DAY_MS) }
    case 'forget':
      return { kind, token: one(random, scene.people), replacement: `nobody ${random.text(8)}` }
  }
}

function planRates(random: Random, scene: Scene): RateRow[] {
  return Array.from({ length: random.integer(1, 4) }, () => ({
    country: random.chance(0.4) ? '*' : one(random, COUNTRIES),
    valid_from: planDay(random, scene),
    price_micros: BigInt(random.integer(0, 90_000)),
  }))
}

function planCountries(random: Random, { people }: Scene): CountryRow[] {
  const some = people.filter(() => random.chance(0.5))
  return some.map((token) => ({ token, country: one(random, COUNTRIES) }))
}

/** What an operator kept of some events, with what no webhook tells. */
function planImport(random: Random, { events }: Scene): SandboxEvent[] {
  const share = random.unit() * 0.3
  const some = events.filter(() => random.chance(share))
  return some.map((event) => {
    const isMessage = event.kind !== 'clicked' && event.kind !== 'failed'
    return {
      ...event,
      ...(isMessage && random.chance(0.5) && { price_micros: String(random.integer(0, 50_000)) }),
      ...(event.kind === 'clicked' && random.chance(0.7) && { btn_name: one(random, BUTTONS) }),
      ...(random.chance(0.3) && { country: one(random, COUNTRIES) }),
    }
  })
}

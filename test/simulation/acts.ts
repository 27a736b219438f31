import type { SandboxEvent } from '../../src/sandbox/event.ts'
import type { Random } from '../../src/sandbox/random.ts'
import { one, planDay, type Scene } from './scene.ts'
import type { Act, CountryRow, RateRow } from './step.ts'
import { ACCOUNTS, BUTTONS, COUNTRIES, PAGES, REGISTERED_CAMPAIGN, SINGLE_IDS, TIME_ZONES } from './universe.ts'

/** Something that an administrator does. */
export function planAct(random: Random, scene: Scene, events: readonly SandboxEvent[]): Act {
  const account_id = one(random, ACCOUNTS).account_id
  const single_id = one(random, SINGLE_IDS)
  const moved_id = random.chance(0.3) ? REGISTERED_CAMPAIGN : single_id
  const page_id = one(random, PAGES)
  return random.pick<() => Act>([
    [() => ({ kind: 'zone', account_id, time_zone: one(random, TIME_ZONES) }), 3],
    [() => ({ kind: 'rates', account_id, rates: planRates(random, scene) }), 3],
    [() => ({ kind: 'countries', rows: planCountries(random, scene) }), 3],
    [() => ({ kind: 'import', events: planImport(random, events) }), 3],
    [() => ({ kind: 'claim', campaign_id: single_id, account_id }), 4],
    [() => ({ kind: 'move', campaign_id: moved_id, account_id }), 3],
    [() => ({ kind: random.chance(0.7) ? 'link' : 'unlink', page_id, account_id }), 3],
    [() => ({ kind: 'forget', token: one(random, scene.people), replacement: `nobody ${random.text(8)}` }), 1],
  ])()
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
function planImport(random: Random, events: readonly SandboxEvent[]): SandboxEvent[] {
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

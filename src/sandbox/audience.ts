import { Random, type Weighted } from './random.ts'

/** Who receives the sandbox's messages; `country` is `null` where the operator's subscriber list does not tell. */
export interface Subscriber {
  readonly messenger_subscription_token: string
  readonly country: string | null
}

export const AUDIENCE_SIZE = 2500

/** All three region classes are there, and some whose country nobody knows. */
const COUNTRY_WEIGHTS: Weighted<string | null> = [
  ['US', 22],
  ['BR', 14],
  ['MX', 10],
  ['IN', 10],
  ['PH', 9],
  ['ID', 6],
  ['TH', 5],
  ['GB', 5],
  ['DE', 4],
  ['FR', 4],
  ['ES', 3],
  ['JP', 3],
  ['AR', 3],
  ['KR', 2],
  ['TR', 2],
  [null, 4],
]

/** The people of the demo, the same for the same seed. */
export function demoAudience(seed: number): Subscriber[] {
  const random = new Random(seed)
  return Array.from({ length: AUDIENCE_SIZE }, () => ({
    messenger_subscription_token: random.text(32),
    country: random.pick(COUNTRY_WEIGHTS),
  }))
}

/** The operator's subscriber list: token to country, without those whose country is unknown. */
export function subscriberList(audience: readonly Subscriber[]): Map<string, string> {
  const list = new Map<string, string>()
  for (const { messenger_subscription_token, country } of audience) {
    if (country !== null) list.set(messenger_subscription_token, country)
  }
  return list
}

import type { SandboxEvent } from '../../../src/sandbox/event.ts'
import type { Random } from '../../../src/sandbox/random.ts'
import type { Expected } from '../model/expected.ts'
import { SETTLED_ACTS } from '../people/administrator.ts'
import type { Act, History, Step } from '../plan/step.ts'
import { campaignOf } from '../plan/universe.ts'

/** Acts that must not meet what they are about: which of both comes first makes a difference. */
const ORDERED_ACTS: readonly Act['kind'][] = [...SETTLED_ACTS, 'forget']

/** Bodies in which the events of one webhook come. */
const BODIES_MAX = 4

/** The same history, with more webhooks that tell of less, so that servers want the same threads and ads at the same time. */
export function splitWebhooks(history: History, random: Random): History {
  const steps = history.steps.flatMap((step): Step[] => {
    if (step.kind !== 'webhook') return [step]
    const bodies = Map.groupBy(step.events, () => random.integer(1, BODIES_MAX))
    return [...bodies.values()].map((events) => ({ ...step, events }))
  })
  return { ...history, steps }
}

/**
 * The next steps that happen at once, up to so many. Whoever comes first among several servers is for chance to say, so they are
 * steps that come to the same in any order.
 */
export function takeMoment(steps: readonly Step[], size: number, expected: Expected): Step[] {
  const moment: Step[] = []
  for (const step of steps.slice(0, size)) {
    if (!moment.every((other) => commute(other, step, expected))) break
    moment.push(step)
  }
  return moment
}

function commute(one: Step, other: Step, expected: Expected): boolean {
  if ([one, other].some(({ kind }) => kind === 'check' || kind === 'clock')) return false
  if (one.kind === 'act' && other.kind === 'act') return !isOrdered(one.act) && !isOrdered(other.act)
  if (one.kind === 'act' && other.kind === 'webhook') return !concerns(one.act, other.events, expected)
  return one.kind === 'webhook' && other.kind === 'act' ? commute(other, one, expected) : true
}

export function isOrdered({ kind }: Act): boolean {
  return ORDERED_ACTS.includes(kind)
}

/** Whether it makes a difference to any of these events if they are told before an act or after it. */
function concerns(act: Act, events: readonly SandboxEvent[], expected: Expected): boolean {
  switch (act.kind) {
    case 'claim':
    case 'move':
      return events.some(({ message_id }) => campaignOf(message_id) === act.campaign_id)
    case 'link':
    case 'unlink':
      return events.some(({ page_id }) => page_id === act.page_id)
    case 'prune':
      return events.some(({ message_id }) => (expected.accountOf(message_id) ?? act.account_id) === act.account_id)
    case 'forget':
      return events.some(({ messenger_subscription_token }) => messenger_subscription_token === act.token)
    default:
      return false
  }
}

import { Agenda } from './agenda.ts'
import { demoAudience, type Subscriber } from './audience.ts'
import { DEMO_LIVE_CAMPAIGN_ID, DEMO_PAGE_ID } from './demo.ts'
import { formatWebhook, type SandboxEvent } from './event.ts'
import { type Habits, playMessage } from './message.ts'
import { Random } from './random.ts'

export const LIVE_MESSAGES_PER_SECOND_MIN = 2
export const LIVE_MESSAGES_PER_SECOND_MAX = 4

/** After a pause, as of a laptop that slept, no more than this is made up for. */
export const LIVE_CATCH_UP_MS_MAX = 60_000

const CHANGES_PER_BODY_MAX = 5
const LATE_RATE = 0.05
const TWICE_RATE = 0.05

/** A minute lasts a second, so that a viewer sees reads and clicks follow. */
const HABITS: Habits = { failed_rate: 0.02, delivered_rate: 0.98, read_rate: 0.68, click_rate: 0.12, pace: 60 }

/**
 * The campaign that runs while one looks on. Its webhooks come as Meta's do: some late, some twice, and so out of order.
 * The demo's audience gets a message every quarter of an hour or so, sooner than Meta allows: it lives faster.
 */
export class LiveCampaign {
  readonly #random: Random
  readonly #recipients: readonly Subscriber[]
  readonly #coming = new Agenda<SandboxEvent>()
  readonly #posts = new Agenda<string>()
  #played_ms: number
  #messages = 0

  /** The audience is the demo's of the same seed; all else differs from start to start, tracking ids included. */
  constructor({ seed, start_ms }: { readonly seed: number; readonly start_ms: number }) {
    this.#random = new Random(seed, start_ms)
    this.#recipients = this.#random.shuffle(demoAudience(seed))
    this.#played_ms = start_ms
  }

  /** The bodies to post now, in this order. To be called every second or so, with a time that does not go back. */
  next(now_ms: number): string[] {
    this.#played_ms = Math.max(this.#played_ms, now_ms - LIVE_CATCH_UP_MS_MAX)
    for (; this.#played_ms + 1000 <= now_ms; this.#played_ms += 1000) this.#sendSecond(this.#played_ms)
    this.#putInBodies(this.#coming.takeDue(now_ms), now_ms)
    return this.#posts.takeDue(now_ms)
  }

  #sendSecond(second_ms: number): void {
    const messages = this.#random.integer(LIVE_MESSAGES_PER_SECOND_MIN, LIVE_MESSAGES_PER_SECOND_MAX)
    for (let i = 0; i < messages; i++) {
      const { messenger_subscription_token } = this.#recipients[
        this.#messages++ % this.#recipients.length
      ] as Subscriber
      const timestamp = second_ms + this.#random.integer(0, 999)
      const send = { timestamp, message_id: DEMO_LIVE_CAMPAIGN_ID, page_id: DEMO_PAGE_ID, messenger_subscription_token }
      for (const event of playMessage(this.#random, send, HABITS)) this.#coming.add(event.timestamp, event)
    }
  }

  #putInBodies(events: readonly SandboxEvent[], now_ms: number): void {
    for (let start = 0; start < events.length; ) {
      const end = start + this.#random.integer(1, CHANGES_PER_BODY_MAX)
      this.#post(formatWebhook(events.slice(start, end)), now_ms)
      start = end
    }
  }

  #post(body: string, now_ms: number): void {
    const due_ms = now_ms + (this.#random.chance(LATE_RATE) ? this.#random.integer(5_000, 60_000) : 0)
    this.#posts.add(due_ms, body)
    if (this.#random.chance(TWICE_RATE)) this.#posts.add(due_ms + this.#random.integer(1_000, 30_000), body)
  }
}

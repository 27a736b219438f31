import { Admission } from '../store/admission.ts'
import { catchUpStep } from '../store/catch-up.ts'
import type { Store } from '../store/store.ts'
import type { ParsedGroup } from './group.ts'
import { takeIn } from './intake.ts'
import type { FromWriter } from './writer.ts'

/** How often the thread looks whether an administrator's act left something to catch up on. */
export const CATCH_UP_EVERY_MS = 2000

/** What the writer's thread does, whichever thread that is: commits groups, and catches up on what administrators left. */
export class Committer {
  readonly #store: Store
  readonly #admission = new Admission()
  /** The latest time that the server told: the thread has no clock of its own. */
  #now_ms: number
  /** The registry's version under which nothing was left to catch up on. */
  #caughtUpVersion = -1
  #isCatchingUp = false
  /** The group that was taken last, and is told of before the next. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: Store, started_at: number) {
    this.#store = store
    this.#now_ms = started_at
  }

  /**
   * Commits a group. Never rejects: what could not be committed is told as failed. Told in the order of the calls, by which the
   * writer knows the groups: one that fails at once waits for those before it, which may still be synced.
   */
  take(group: ParsedGroup): Promise<FromWriter> {
    const taken = this.#commit(group)
    const inOrder = this.#last.then(() => taken)
    this.#last = inOrder
    return inOrder
  }

  /** Takes one step after another, and after each lets webhooks go first. Does nothing while it does so already. */
  async catchUp(letOthersGo: () => Promise<unknown>): Promise<void> {
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    try {
      while (await this.#catchUpStep()) await letOthersGo()
    } finally {
      this.#isCatchingUp = false
    }
  }

  /** Takes one step, if there is one to take; true when there may be another. */
  async #catchUpStep(): Promise<boolean> {
    const version = await this.#store.registry.readVersion()
    if (version === this.#caughtUpVersion) return false
    const step = await catchUpStep(this.#store, this.#admission, this.#now_ms)
    if (step === undefined) this.#caughtUpVersion = version
    return step !== undefined
  }

  async #commit(group: ParsedGroup): Promise<FromWriter> {
    this.#now_ms = group.received_at
    try {
      const counts = await takeIn(this.#store, this.#admission, group)
      return { kind: 'taken', unreadable: group.unreadable, counts }
    } catch (error) {
      return { kind: 'failed', reason: String(error) }
    }
  }
}

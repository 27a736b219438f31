import { Admission } from '../store/admission.ts'
import { catchUpStep } from '../store/catch-up.ts'
import type { Store } from '../store/store.ts'
import { Intake } from './intake.ts'
import type { Pseudonyms } from './pseudonym.ts'
import type { FromWriter, Group } from './writer.ts'

/** How often the thread looks whether an administrator's act left something to catch up on. */
export const CATCH_UP_EVERY_MS = 2000

/** What the writer's thread does, whichever thread that is: commits groups, and catches up on what administrators left. */
export class Committer {
  readonly #store: Store
  readonly #admission = new Admission()
  readonly #intake: Intake
  /** The latest time that the server told: the thread has no clock of its own. */
  #now_ms: number
  /** The registry's version under which nothing was left to catch up on. */
  #caughtUpVersion = -1
  /** The group that was taken last, and is told of before the next. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: Store, pseudonyms: Pseudonyms, started_at: number) {
    this.#store = store
    this.#intake = new Intake(store, this.#admission, pseudonyms)
    this.#now_ms = started_at
  }

  /**
   * Commits a group. Never rejects: what could not be committed is told as failed. Told in the order of the calls, by which the
   * writer knows the groups: one that fails at once waits for those before it, which may still be synced.
   */
  take(group: Group): Promise<FromWriter> {
    const taken = this.#commit(group)
    const inOrder = this.#last.then(() => taken)
    this.#last = inOrder
    return inOrder
  }

  /** Takes one step, if there is one to take; true when there may be another, ahead of which webhooks may go. */
  async catchUp(): Promise<boolean> {
    const version = await this.#store.registry.readVersion()
    if (version === this.#caughtUpVersion) return false
    const step = await catchUpStep(this.#store, this.#admission, this.#now_ms)
    if (step === undefined) this.#caughtUpVersion = version
    return step !== undefined
  }

  async #commit(group: Group): Promise<FromWriter> {
    this.#now_ms = group.received_at
    try {
      const { unreadable, counts } = await this.#intake.take(textsOf(group), this.#now_ms)
      return { kind: 'taken', unreadable, counts }
    } catch (error) {
      return { kind: 'failed', reason: String(error) }
    }
  }
}

function textsOf({ bytes, lengths }: Group): string[] {
  const buffer = Buffer.from(bytes.buffer)
  let end = 0
  return lengths.map((length) => {
    end += length
    return buffer.toString('utf8', end - length, end)
  })
}

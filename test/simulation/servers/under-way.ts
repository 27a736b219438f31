import { setTimeout as wait } from 'node:timers/promises'
import { Violation } from '../model/violation.ts'
import { turn } from '../time.ts'

/** Whatever is begun is over by then, on however busy a machine, or something waits for ever. */
const STUCK_MS = 90_000

/** What is under way in a world, all of which must come to its end. */
export class UnderWay {
  readonly #tasks = new Set<Promise<unknown>>()
  #mistake: unknown

  begin(task: Promise<unknown>): void {
    const ending: Promise<unknown> = task
      .catch((cause: unknown) => this.note(cause))
      .finally(() => this.#tasks.delete(ending))
    this.#tasks.add(ending)
  }

  /** Notes that something is not as it must be; the first of it is told. */
  note(cause: unknown): void {
    this.#mistake ??= cause
  }

  /** Waits until nothing is under way any more, and throws if something was not as it must be. */
  async quiet(): Promise<void> {
    const late = new AbortController()
    const stuck = wait(STUCK_MS, 'stuck', { signal: late.signal, ref: false }).catch(() => 'over')
    while (this.#tasks.size > 0 && this.#mistake === undefined) {
      if ((await Promise.race([Promise.all(this.#tasks), stuck])) === 'stuck')
        throw new Violation(`${this.#tasks.size} things have not come to their end within ${STUCK_MS} ms`)
      // What comes of them may begin something more.
      await turn()
    }
    late.abort()
    if (this.#mistake !== undefined) throw this.#mistake
  }
}

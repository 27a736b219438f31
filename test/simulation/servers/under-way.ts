import { setTimeout as wait } from 'node:timers/promises'
import { Violation } from '../model/violation.ts'
import { turn } from '../time.ts'

/** Whatever is begun is over by then, on however busy a machine, or something waits for ever. */
const STUCK_MS = 90_000

/** What is under way in a world, all of which must come to its end. */
export class UnderWay {
  readonly #tasks = new Set<Promise<unknown>>()
  readonly #mistake = Promise.withResolvers<never>()

  constructor() {
    // Whoever waits next is told of it.
    this.#mistake.promise.catch(() => undefined)
  }

  begin(task: Promise<unknown>): void {
    const ending: Promise<unknown> = task
      .catch((cause: unknown) => this.note(cause))
      .finally(() => this.#tasks.delete(ending))
    this.#tasks.add(ending)
  }

  /** Notes that something is not as it must be; the first of it is told. */
  note(cause: unknown): void {
    this.#mistake.reject(cause)
  }

  /** Waits until nothing is under way any more. Throws as soon as something is not as it must be. */
  async quiet(): Promise<void> {
    const over = new AbortController()
    const stuck = wait(STUCK_MS, 'stuck', { signal: over.signal, ref: false })
    stuck.catch(() => undefined)
    try {
      do {
        const ended = await Promise.race([this.#mistake.promise, Promise.all(this.#tasks), stuck])
        if (ended === 'stuck') throw new Violation(`${this.#tasks.size} things do not end within ${STUCK_MS} ms`)
        // What comes of them may begin something more.
        await turn()
      } while (this.#tasks.size > 0)
    } finally {
      over.abort()
    }
  }
}

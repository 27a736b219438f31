/** Lets whatever was begun come to rest: what waits for nothing but itself is over by then. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

interface Due {
  readonly due_ms: number
  readonly act: () => unknown
  /** Whether a tick may find something after it. */
  readonly isNews: boolean
}

interface Tick {
  readonly every_ms: number
  readonly act: () => unknown
  /** `undefined` while nothing has happened since the last one. */
  due_ms: number | undefined
}

/** Time that passes only from one thing that is due to the next, so that a month takes as long as what happens in it. */
export class VirtualTime {
  #now_ms: number
  /** Sorted; what is due at once happens in the order in which it was added. */
  readonly #due: Due[] = []
  readonly #ticks = new Set<Tick>()

  constructor(start_ms: number) {
    this.#now_ms = start_ms
  }

  get now_ms(): number {
    return this.#now_ms
  }

  /** When the next thing is due, ticks apart. */
  get next_ms(): number | undefined {
    return this.#due[0]?.due_ms
  }

  at(due_ms: number, act: () => unknown): void {
    const place = this.#due.findLastIndex((other) => other.due_ms <= due_ms) + 1
    this.#due.splice(place, 0, { due_ms, act, isNews: true })
  }

  after(ms: number, act: () => unknown): void {
    this.at(this.#now_ms + ms, act)
  }

  /** Acts so long after anything happened: ticks over a world in which nothing does would change nothing. */
  every(every_ms: number, act: () => unknown): Disposable {
    const tick: Tick = { every_ms, act, due_ms: this.#now_ms + every_ms }
    this.#ticks.add(tick)
    return { [Symbol.dispose]: () => this.#ticks.delete(tick) }
  }

  /** Lets happen what is due until then, one thing after another. */
  async runUntil(until_ms: number): Promise<void> {
    for (let next = this.#takeNext(until_ms); next !== undefined; next = this.#takeNext(until_ms)) {
      this.#now_ms = Math.max(this.#now_ms, next.due_ms)
      await next.act()
      await turn()
      if (next.isNews) for (const tick of this.#ticks) tick.due_ms ??= this.#now_ms + tick.every_ms
    }
    if (until_ms < Infinity) this.#now_ms = Math.max(this.#now_ms, until_ms)
  }

  #takeNext(until_ms: number): Due | undefined {
    const [first] = this.#due
    const tick = [...this.#ticks].find(({ due_ms }) => due_ms !== undefined && due_ms < (first?.due_ms ?? Infinity))
    if (tick?.due_ms !== undefined) {
      if (tick.due_ms > until_ms) return undefined
      const due = { due_ms: tick.due_ms, act: tick.act, isNews: false }
      tick.due_ms = undefined
      return due
    }
    if (first === undefined || first.due_ms > until_ms) return undefined
    return this.#due.shift()
  }
}

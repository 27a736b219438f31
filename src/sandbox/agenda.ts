interface Entry<Item> {
  readonly due_ms: number
  readonly item: Item
}

/** What is going to happen: each item waits until its time has come. Taking looks at all that waits, so wait short. */
export class Agenda<Item> {
  #waiting: Entry<Item>[] = []

  add(due_ms: number, item: Item): void {
    this.#waiting.push({ due_ms, item })
  }

  /** Takes out what is due at `now_ms` or earlier, in the order of its times. */
  takeDue(now_ms: number): Item[] {
    const due: Entry<Item>[] = []
    const waiting: Entry<Item>[] = []
    for (const entry of this.#waiting) (entry.due_ms <= now_ms ? due : waiting).push(entry)
    this.#waiting = waiting
    return due.sort((a, b) => a.due_ms - b.due_ms).map((entry) => entry.item)
  }
}

import type { Fault, FaultPoint } from './plan/fault.ts'

/** Begins a writing transaction, in SQLite's words or in PostgreSQL's. */
export const BEGINS_WRITING = /^BEGIN (?:IMMEDIATE$|ISOLATION LEVEL READ COMMITTED;)/

const CHANGED = /^\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE(?: OR \w+)?|DELETE FROM) (\w+)/

/** Faults that wait among the statements of one process; whichever comes to its point strikes, once. */
export class ArmedFaults {
  readonly #armed: { readonly fault: Fault; readonly from: number }[] = []
  readonly #sync: string
  #statements = 0

  /** With the statement that syncs what was committed. */
  constructor(sync: string) {
    this.#sync = sync
  }

  arm(fault: Fault): void {
    this.#armed.push({ fault, from: this.#statements })
  }

  /** Takes back the faults that have not struck. */
  disarm(): void {
    this.#armed.length = 0
  }

  /** The fault that strikes at the next statement, which is this one, if any does. */
  strike(sql: string): Fault | undefined {
    this.#statements++
    const place = this.#armed.findIndex(({ fault, from }) => this.#isAt(fault.point, sql, this.#statements - from))
    return place < 0 ? undefined : this.#armed.splice(place, 1)[0]?.fault
  }

  #isAt(point: FaultPoint, sql: string, statements: number): boolean {
    if (typeof point === 'number') return point === statements
    if (point === 'begin') return BEGINS_WRITING.test(sql)
    if (point === 'commit') return sql === 'COMMIT'
    return point === 'sync' ? sql === this.#sync : CHANGED.exec(sql)?.[1] === point
  }
}

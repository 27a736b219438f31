import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { ArmedFaults } from '../armed-faults.ts'
import type { Fault } from '../plan/fault.ts'

/** What a sync of the log is called here: a statement like any other. */
export const SYNC = 'SYNC'

/** Thrown within a process that was killed: nothing of it runs any more. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

const SQLITE_IOERR = 10

/** Thrown as SQLite does where the disk fails. */
export class DiskFailure extends Error {
  override readonly name = 'DiskFailure'
  readonly errcode = SQLITE_IOERR
}

/** What a process tells of its connection. */
export interface ConnectionEvents {
  readonly onCommit: () => void
  /** The process is being killed, or, where it is said what is left, the power is cut. */
  readonly onKill: (left: number | undefined) => void
}

/** The statements of one process, each of which a fault can strike. */
export class Connection {
  readonly #events: ConnectionEvents
  readonly #armed = new ArmedFaults(SYNC)
  #isDead = false

  constructor(events: ConnectionEvents) {
    this.#events = events
  }

  /** Prepares a fault; whichever comes to its point strikes, once. */
  arm(fault: Fault): void {
    this.#armed.arm(fault)
  }

  /** Takes back the faults that have not struck. */
  disarm(): void {
    this.#armed.disarm()
  }

  /** The same database, but for the faults. A transaction is rolled back without one: SQLite does not fail at that. */
  over(db: DatabaseSync): DatabaseSync {
    return new Proxy(db, {
      get: (_, name) => {
        if (name === 'prepare') return (sql: string) => this.#overStatement(db.prepare(sql), sql)
        if (name === 'exec')
          return (sql: string) => (sql === 'ROLLBACK' ? db.exec(sql) : this.run(sql, () => db.exec(sql)))
        return memberOf(db, name)
      },
    })
  }

  /** Runs a statement, unless a fault strikes. */
  run<T>(sql: string, run: () => T): T {
    if (this.#isDead) throw new Killed('this process was killed before')
    const { effect, left } = this.#armed.strike(sql) ?? {}
    if (effect === 'kill before') this.#kill(sql)
    if (effect === 'cut before') this.#kill(sql, left)
    if (effect === 'fail before' || (effect === 'fail after' && sql !== 'COMMIT')) throw new DiskFailure(firstLine(sql))
    const result = run()
    if (sql === 'COMMIT') this.#events.onCommit()
    if (effect === 'kill after') this.#kill(sql)
    if (effect === 'cut after') this.#kill(sql, left)
    if (effect === 'fail after') throw new DiskFailure(firstLine(sql))
    return result
  }

  #overStatement(statement: StatementSync, sql: string): StatementSync {
    const run = { get: statement.get, all: statement.all, run: statement.run }
    return new Proxy(statement, {
      get: (_, name) => {
        if (!Object.hasOwn(run, name)) return memberOf(statement, name)
        const method = run[name as keyof typeof run] as (...values: unknown[]) => unknown
        return (...values: unknown[]) => this.run(sql, () => method.apply(statement, values))
      },
    })
  }

  #kill(sql: string, left?: number): never {
    this.#isDead = true
    this.#events.onKill(left)
    throw new Killed(`killed at ${firstLine(sql)}`)
  }
}

function memberOf(target: object, name: string | symbol): unknown {
  const member = Reflect.get(target, name, target)
  return typeof member === 'function' ? member.bind(target) : member
}

function firstLine(sql: string): string {
  return sql.trim().split('\n')[0] ?? ''
}

import type { DayRange } from '../../domain/day.ts'
import type { RollupColumn } from '../rollup-cells.ts'
import type { ColumnSums, NodeCells } from '../rollups.ts'
import type { Session } from './session.ts'

/** A node whose columns are to be summed, and who waits for it. */
interface Asked {
  readonly ads: readonly number[]
  readonly settle: (sums: ColumnSums) => void
  readonly reject: (cause: unknown) => void
}

/** What is asked of one account over the same days: one statement answers all of it, from one shard. */
interface Group {
  readonly account: number
  readonly days: DayRange
  readonly columns: readonly RollupColumn[]
  readonly asked: Asked[]
}

/**
 * Sums columns of many nodes with one statement. What callers ask for at the same time differs by the node alone, and a statement
 * costs more than what it sums; so each waits until all who were called together have asked.
 */
export class GatheredSums {
  readonly #session: Session
  #groups = new Map<string, Group>()

  constructor(session: Session) {
    this.#session = session
  }

  sumColumns({ account, ads }: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<ColumnSums> {
    return new Promise((settle, reject) => {
      if (this.#groups.size === 0) setImmediate(() => this.#askAll())
      const key = `${account} ${days.since} ${days.until} ${columns.join()}`
      const group = this.#groups.get(key)
      if (group === undefined) this.#groups.set(key, { account, days, columns, asked: [{ ads, settle, reject }] })
      else group.asked.push({ ads, settle, reject })
    })
  }

  #askAll(): void {
    const groups = this.#groups
    this.#groups = new Map()
    for (const group of groups.values()) {
      this.#ask(group).catch((cause) => {
        for (const { reject } of group.asked) reject(cause)
      })
    }
  }

  async #ask({ account, days, columns, asked }: Group): Promise<void> {
    const places = asked.flatMap(({ ads }, place) => ads.map(() => place))
    const ads = asked.flatMap((one) => one.ads)
    const rows = await this.#session.lists(sumNodes(columns), account, places, ads, days.since, days.until)
    const found = new Map((rows as SumsRow[]).map(([place, cells, ...sums]) => [place, { cells, sums }]))
    for (const [place, { settle }] of asked.entries()) {
      const { cells, sums } = found.get(place) ?? { cells: 0, sums: [] }
      settle({ cells, sums: columns.map((_, i) => sums[i] ?? 0n) })
    }
  }
}

type SumsRow = [place: number, cells: number, ...sums: (bigint | null)[]]

/** Every ad is looked up by its key: see decision 0017. */
function sumNodes(columns: readonly RollupColumn[]): string {
  const sums = columns.map((column) => `, SUM(${column})`).join('')
  return `SELECT place, COUNT(*)${sums} FROM unnest($2::integer[], $3::integer[]) AS asked (place, ad)
    CROSS JOIN LATERAL (
      SELECT * FROM rollup WHERE account = $1 AND rollup.ad = asked.ad AND day BETWEEN $4 AND $5 OFFSET 0
    ) AS cell
    GROUP BY place`
}

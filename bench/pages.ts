import { createHash } from 'node:crypto'
import type { Figure } from './bench.ts'
import { BARE, headersOf } from './questions.ts'

/** A row of insights by ad and day. */
export type DeepRow = Readonly<Record<string, string>>

/** A page of a result; `ms` is from the request to the last byte, without what we do with it. */
export interface Page {
  readonly rows: readonly DeepRow[]
  readonly next: string | undefined
  readonly ms: number
}

/** What rows came to: two readings of the same result are equal in all of it. */
export interface Tally {
  readonly rows: number
  /** Different pairs of an ad and a day. */
  readonly ad_days: number
  readonly delivered: number
  readonly spend_micros: number
  /** Of all rows, in their order. */
  readonly sha256: string
}

/** Reads one page; one after another, they come over one connection. Throws when it is not answered 200. */
export async function readPage(url: string, token: string): Promise<Page> {
  const started_ms = performance.now()
  const response = await fetch(url, { headers: headersOf(token) })
  const text = await response.text()
  const ms = performance.now() - started_ms
  if (response.status !== 200) throw new Error(`${url} is answered ${response.status}: ${text}`)
  const { data, paging } = JSON.parse(text) as { data: DeepRow[]; paging?: { next?: string } }
  return { rows: data, next: paging?.next, ms }
}

/** Adds pages up as they are read. */
export class PageTally {
  #rows = 0
  #pages = 0
  #ms = 0
  #slowest_ms = 0
  #delivered = 0
  #spend_micros = 0
  readonly #ad_days = new Set<string>()
  readonly #digest = createHash('sha256')

  add({ rows, ms }: Page): void {
    this.#pages++
    this.#ms += ms
    this.#slowest_ms = Math.max(this.#slowest_ms, ms)
    this.#rows += rows.length
    for (const row of rows) {
      this.#ad_days.add(`${row.ad_id} ${row.date_start}`)
      this.#delivered += Number(row.marketing_messages_delivered)
      this.#spend_micros += Math.round(Number(row.marketing_messages_spend) * 1e6)
      this.#digest.update(JSON.stringify(row))
    }
  }

  get rows(): number {
    return this.#rows
  }

  get pages(): number {
    return this.#pages
  }

  get total(): Tally {
    return {
      rows: this.#rows,
      ad_days: this.#ad_days.size,
      delivered: this.#delivered,
      spend_micros: this.#spend_micros,
      sha256: this.#digest.copy().digest('hex'),
    }
  }

  /** How fast the pages came, beside those of a bare server. */
  figures(what: string, bare: PageTally): Figure[] {
    const beside = (value: number) => ({ limit: { value, of: BARE } })
    return [
      { what, unit: 'rows/s', measured: this.#rate, ...beside(bare.#rate) },
      { what: '  slowest page', unit: 'ms', measured: this.#slowest_ms, ...beside(bare.#slowest_ms) },
    ]
  }

  get #rate(): number {
    return (this.#rows * 1000) / this.#ms
  }
}

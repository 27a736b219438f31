import type { Fact } from '../../src/domain/fact.ts'
import { countNaively } from '../model.ts'
import { ACCOUNT_IDS, type CrashWorld, TOKEN } from './world.ts'

type Row = Readonly<Record<string, string>>

interface Page {
  readonly data: readonly Row[]
  readonly paging?: { readonly next?: string }
  readonly error?: unknown
}

/** What is asked for, and the counter behind it. */
const COUNTED = {
  marketing_messages_sent: 'sent',
  marketing_messages_delivered: 'delivered',
  marketing_messages_read: 'read',
  marketing_messages_link_btn_click: 'link_btn_click',
} as const

const QUERY = `level=ad&time_increment=1&date_preset=maximum&region_policy=all&limit=500&fields=ad_id,marketing_messages_spend,${Object.keys(COUNTED).join()}`

/** Rows by hour: enough of them that a report is not made at once. */
const REPORT =
  'level=ad&time_increment=1&date_preset=maximum&breakdowns=hourly_stats_aggregated_by_advertiser_time_zone'

/** More than are made while the first answer is waited for. */
const ORDERS = 60

const COMPLETE_MS_MAX = 30_000
const POLL_MS = 50

/** Each ad on each day as a line of text, from the insights over HTTP. */
export async function readAnswers(url: string): Promise<string[]> {
  const lines: string[] = []
  for (const account_id of ACCOUNT_IDS) {
    for await (const row of pages(url, `act_${account_id}/insights?${QUERY}`)) {
      const counts = Object.keys(COUNTED).map((field) => row[field])
      const spend = row.marketing_messages_spend ?? 'unpriced'
      lines.push(`${row.ad_id} ${row.date_start} ${counts.join(' ')} ${spend}`)
    }
  }
  return lines.sort()
}

/** The lines that these facts should come to, by the naive model. */
export function answersOf(facts: readonly Fact[], world: CrashWorld): string[] {
  const cells = Map.groupBy(countNaively(facts, world), ({ ad_id, day }) => `${ad_id} ${day}`)
  return [...cells]
    .map(([cell, counted]) => {
      const sum = (counter: string) =>
        counted.reduce((sum, one) => (one.counter === counter ? sum + one.amount : sum), 0n)
      const spend = sum('unpriced') > 0n ? 'unpriced' : String(Number(sum('spend_micros')) / 1e6)
      return `${cell} ${Object.values(COUNTED).map(sum).join(' ')} ${spend}`
    })
    .sort()
}

/** Orders reports; each promise is fulfilled with a run that the server answers for, or `undefined` when it goes before. */
export function orderReports(url: string): Promise<string | undefined>[] {
  return Array.from({ length: ORDERS }, (_, i) => order(url, ACCOUNT_IDS[i % ACCOUNT_IDS.length] ?? ''))
}

async function order(url: string, account_id: string): Promise<string | undefined> {
  const path = `${url}/v25.0/act_${account_id}/insights?access_token=${TOKEN}&${REPORT}`
  const response = await fetch(path, { method: 'POST' }).catch(() => undefined)
  const answer = (await response?.json().catch(() => undefined)) as Row | undefined
  if (answer === undefined || answer.report_run_id !== undefined) return answer?.report_run_id
  throw new Error(`a report was refused: ${JSON.stringify(answer)}`)
}

/** Waits until a report is completed, and reads it; each of its rows is there once. */
export async function readReport(url: string, run_id: string): Promise<void> {
  const late_ms = performance.now() + COMPLETE_MS_MAX
  for (;;) {
    const path = `${url}/v25.0/${run_id}?access_token=${TOKEN}&fields=async_status,async_percent_completion`
    const run = (await (await fetch(path)).json()) as Row
    if (run.async_status === 'Job Completed') break
    if (run.async_status === 'Job Failed' || performance.now() > late_ms) {
      throw new Error(`report ${run_id} does not complete: ${JSON.stringify(run)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const seen = new Set<string>()
  for await (const row of pages(url, `${run_id}/insights?limit=500`)) {
    const key = `${row.ad_id} ${row.date_start} ${row.hourly_stats_aggregated_by_advertiser_time_zone}`
    if (seen.has(key)) throw new Error(`report ${run_id} has the row ${key} twice`)
    seen.add(key)
  }
}

async function* pages(url: string, path: string): AsyncGenerator<Row> {
  let next: string | undefined = `${url}/v25.0/${path}&access_token=${TOKEN}`
  while (next !== undefined) {
    const page = (await (await fetch(next)).json()) as Page
    if (page.error !== undefined) throw new Error(`${path} was answered ${JSON.stringify(page.error)}`)
    yield* page.data
    next = page.paging?.next
  }
}

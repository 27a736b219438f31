import type { Command } from 'commander'
import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import { FACT_KINDS, type FactKind } from '../domain/fact.ts'
import type { PageArrivals } from '../store/arrivals.ts'
import { type Database, type DatabaseOptions, databaseCommand, sayUnresolved } from './database.ts'
import { type Column, count, formatTime, type OutputMode, outputOption, printRows, say } from './output.ts'

const COLUMNS: readonly Column[] = [
  { key: 'page_id', label: 'Page' },
  { key: 'accounts', label: 'Accounts' },
  { key: 'complete_since', label: 'Complete since' },
  { key: 'last_webhook', label: 'Last webhook' },
  { key: 'events', label: 'Events that arrive' },
  { key: 'never_seen', label: 'Never seen' },
  { key: 'unpriced_percent', label: 'Unpriced %' },
  { key: 'unknown_country_percent', label: 'Unknown country %' },
]

/** `readout status`. */
export function addStatusCommand(program: Command): void {
  const help = 'per page: since when its data is complete, what arrives, and what is not known of it'
  databaseCommand(program, 'status', help, printStatus).addOption(outputOption())
}

async function printStatus(database: Database, options: { output: OutputMode } & DatabaseOptions): Promise<void> {
  const { store } = database
  const pages = Map.groupBy(await store.arrivals.listPages(), ({ page_id }) => page_id)
  const linked = (await store.registry.listAccounts()).flatMap(({ page_ids }) => page_ids)
  const rows = []
  for (const page_id of new Set([...linked, ...pages.keys()])) {
    rows.push(await statusOf(database, page_id, pages.get(page_id) ?? []))
  }
  printRows(COLUMNS, rows, options.output)
  await sayUnresolved(store)
  await sayFloors(database)
}

async function sayFloors({ store }: Database): Promise<void> {
  const names = new Map((await store.registry.listAccounts()).map(({ account, account_id }) => [account, account_id]))
  for (const { account, floor_at, refused_facts } of await store.pruned.listFloors()) {
    say(
      `act_${names.get(account)} is pruned before ${formatTime(floor_at)}; refused since: ${count(refused_facts, 'fact')}`,
    )
  }
}

/** What every message brings sooner or later; clicks and failures may well never come. */
const EXPECTED: readonly FactKind[] = ['sent', 'delivered', 'read']

async function statusOf({ store }: Database, page_id: string, arrivals: readonly PageArrivals[]) {
  const seen = new Set(arrivals.map(({ kind }) => kind))
  const names = new Map((await store.registry.listAccounts()).map(({ account, account_id }) => [account, account_id]))
  const links = await store.registry.readPageLinks(page_id)
  const lasts = arrivals.map(({ last_received_at }) => last_received_at)
  return {
    page_id,
    accounts: [...links].map((account) => `act_${names.get(account)}`).join(' '),
    complete_since: completeSince(arrivals),
    last_webhook: lasts.length === 0 ? null : formatTime(Math.max(...lasts)),
    events: FACT_KINDS.filter((kind) => seen.has(kind)).join(' '),
    never_seen: FACT_KINDS.filter((kind) => !seen.has(kind)).join(' '),
    ...(await sharesOf(store, page_id)),
  }
}

/** From when the last of the expected events began to arrive; `null` while one never did. */
function completeSince(arrivals: readonly PageArrivals[]): string | null {
  const expected = arrivals.filter(({ kind }) => EXPECTED.includes(kind))
  if (expected.length < EXPECTED.length) return null
  return formatTime(Math.max(...expected.map(({ first_received_at }) => first_received_at)))
}

async function sharesOf(store: Database['store'], page_id: string) {
  const countries = await store.rollups.sumPage(page_id, ['delivered', 'unpriced'])
  let delivered = 0n
  let unpriced = 0n
  for (const sums of countries.values()) {
    delivered += sums.get('delivered') ?? 0n
    unpriced += sums.get('unpriced') ?? 0n
  }
  const unknown = countries.get(COUNTRY_UNKNOWN)?.get('delivered') ?? 0n
  return {
    unpriced_percent: formatShare(unpriced, delivered),
    unknown_country_percent: formatShare(unknown, delivered),
  }
}

function formatShare(part: bigint, whole: bigint): string | null {
  return whole === 0n ? null : ((Number(part) / Number(whole)) * 100).toFixed(1)
}

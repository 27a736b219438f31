import { failureContributions } from '../domain/contributions.ts'
import { formatDay } from '../domain/day.ts'
import type { Admission } from './admission.ts'
import { addPacked } from './baseline.ts'
import { catchUp } from './catch-up.ts'
import {
  ACCOUNT_CELLS,
  CELL_BREAKDOWN_NAMES,
  CELL_BREAKDOWNS,
  type CellBreakdown,
  ROLLUP_COLUMNS,
  RollupCells,
} from './rollup-cells.ts'
import type { Store, Tables } from './store.ts'
import type { AdKey } from './threads.ts'

/** Threads read at once while an ad's cells are counted anew. */
export const RECOUNT_THREADS_MAX = 1000

/** Parts of an ad's baseline read at once. */
const BASELINE_PARTS_MAX = 100

/** An amount that stands in a rollup and is not the sum of what the ledger's threads contribute. */
export interface Discrepancy {
  readonly table: 'rollup' | `rollup_${CellBreakdown}` | 'rollup_failure'
  /** `act_<digits>`, or the ad's id; the store's own numbers where the registry knows neither. */
  readonly node: string
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** The column, with the country, the hour, the button or the reason where the table has one. */
  readonly amount_of: string
  readonly stored: bigint
  readonly recounted: bigint
}

/** An ad or, under ad 0, an account's own cells. */
interface Place extends AdKey {
  readonly node: string
}

/**
 * Counts every rollup anew from the stored threads and reports where it differs (design 3, sentence 4). Call it within
 * one reading transaction: what a server commits meanwhile then does not count as a difference.
 */
export async function verify(
  tables: Tables,
  report: (discrepancy: Discrepancy) => void,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  const places = await listPlaces(tables)
  const accounts = new Map<number, RollupCells>()
  const ads = places.filter(({ ad }) => ad !== ACCOUNT_CELLS)
  for (const [i, place] of ads.entries()) {
    const recounted = await recount(tables, place)
    await compareCells(tables, place, recounted, report)
    cellsOf(accounts, place.account).addAll(recounted.ofAccounts())
    onProgress(i + 1, ads.length)
  }
  for (const place of places) {
    if (place.ad === ACCOUNT_CELLS) await compareCells(tables, place, cellsOf(accounts, place.account), report)
  }
}

/**
 * Resolves every thread anew and puts the sums of their contributions in the place of every rollup. An ad is counted
 * within one transaction, so a server beside it answers webhooks with 503 while it takes longer than a moment.
 */
export async function rebuild(
  store: Store,
  admission: Admission,
  now_ms: () => number,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  await store.write(({ registry }) => registry.resolveAll())
  await catchUp(store, admission, now_ms)
  const places = await listPlaces(store)
  for (const [i, place] of places.entries()) {
    await store.write(async (tables) => {
      if (place.ad === ACCOUNT_CELLS) await tables.rollups.sumAccount(place.account)
      else await tables.rollups.replace(place.account, place.ad, await recount(tables, place))
    })
    onProgress(i + 1, places.length)
  }
}

/** The sum of the contributions of an ad's threads and of its baseline. */
async function recount(tables: Tables, place: AdKey): Promise<RollupCells> {
  const cells = new RollupCells()
  await addThreads(cells, tables, place)
  await addBaseline(cells, tables, place)
  return cells
}

async function addThreads(cells: RollupCells, { threads }: Tables, place: AdKey): Promise<void> {
  const { account, ad } = place
  let after_subscriber = ''
  for (;;) {
    const page = await threads.scan(place, after_subscriber, RECOUNT_THREADS_MAX)
    for (const { facts, resolution } of page) {
      cells.addThread(account, ad, resolution)
      for (const failure of failureContributions(facts.failures, resolution.failures)) {
        cells.addFailure(account, ad, failure, 1n)
      }
    }
    if (page.length < RECOUNT_THREADS_MAX) return
    after_subscriber = page.at(-1)?.subscriber ?? ''
  }
}

async function addBaseline(cells: RollupCells, { pruned }: Tables, place: AdKey): Promise<void> {
  const { account, ad } = place
  let after_part = 0
  for (;;) {
    const page = await pruned.readBaseline(place, after_part, BASELINE_PARTS_MAX)
    for (const { packed } of page) addPacked(cells, account, ad, packed)
    if (page.length < BASELINE_PARTS_MAX) return
    after_part = page.at(-1)?.part ?? 0
  }
}

async function compareCells(
  tables: Tables,
  { account, ad, node }: Place,
  recounted: RollupCells,
  report: (discrepancy: Discrepancy) => void,
): Promise<void> {
  const stored = amountsOf(await tables.rollups.readCells(account, ad))
  const expected = amountsOf(recounted)
  for (const key of new Set([...stored.keys(), ...expected.keys()])) {
    const values = { stored: stored.get(key) ?? 0n, recounted: expected.get(key) ?? 0n }
    if (values.stored === values.recounted) continue
    const [table, day, ...amount_of] = key.split(' ') as [Discrepancy['table'], string, ...string[]]
    report({ table, node, day: formatDay(Number(day)), amount_of: amount_of.join(' '), ...values })
  }
}

/** Every amount of some cells under a text that tells where it stands. */
function amountsOf(cells: RollupCells): Map<string, bigint> {
  const amounts = new Map<string, bigint>()
  for (const { day, amounts: own, broken_down } of cells.days()) {
    for (const [i, column] of ROLLUP_COLUMNS.entries()) set(amounts, `rollup ${day} ${column}`, own[i])
    for (const breakdown of CELL_BREAKDOWN_NAMES) {
      for (const [value, ofValue] of broken_down[breakdown]) {
        const cell = `rollup_${breakdown} ${day} ${value}`
        for (const [i, column] of CELL_BREAKDOWNS[breakdown].entries()) set(amounts, `${cell} ${column}`, ofValue[i])
      }
    }
  }
  for (const { day, error_message, failed } of cells.failures()) {
    set(amounts, `rollup_failure ${day} ${error_message}`, failed)
  }
  return amounts
}

function set(amounts: Map<string, bigint>, key: string, amount: bigint | undefined): void {
  if (amount) amounts.set(key, amount)
}

/** Ads first, then the accounts' own cells; both those that the registry has and those that only the rollups have. */
async function listPlaces({ registry, rollups }: Tables): Promise<Place[]> {
  const places = new Map<string, Place>()
  const add = (account: number, ad: number, node: string) => {
    if (!places.has(`${account} ${ad}`)) places.set(`${account} ${ad}`, { account, ad, node })
  }
  for (const { account, ad, ad_id } of await registry.listAds()) add(account, ad, ad_id)
  for (const { account, account_id } of await registry.listAccounts()) add(account, ACCOUNT_CELLS, `act_${account_id}`)
  for (const { account, ad } of await rollups.listNodes()) add(account, ad, `number ${ad} of account number ${account}`)
  return [...places.values()].sort((a, b) => Number(a.ad === ACCOUNT_CELLS) - Number(b.ad === ACCOUNT_CELLS))
}

function cellsOf(accounts: Map<number, RollupCells>, account: number): RollupCells {
  let cells = accounts.get(account)
  if (cells === undefined) {
    cells = new RollupCells()
    accounts.set(account, cells)
  }
  return cells
}

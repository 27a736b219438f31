import { formatDay } from '../src/domain/day.ts'
import { ACCOUNT_CELLS, CELL_BREAKDOWN_NAMES, CELL_BREAKDOWNS, ROLLUP_COLUMNS } from '../src/store/rollup-cells.ts'
import type { Tables } from '../src/store/store.ts'
import type { Counted, CountedFailure } from './model.ts'

/** Every amount in the rollups as one line of text, sorted. */
export async function readRollupLines({ registry, rollups }: Tables): Promise<string[]> {
  const accounts = new Map((await registry.listAccounts()).map((a) => [a.account, a.account_id]))
  const ads = new Map((await registry.listAds()).map((ad) => [ad.ad, ad.ad_id]))
  const lines: string[] = []
  for (const { account, ad } of await rollups.listNodes()) {
    const node = ad === ACCOUNT_CELLS ? `act_${accounts.get(account)}` : `${accounts.get(account)} ${ads.get(ad)}`
    const cells = await rollups.readCells(account, ad)
    for (const { day, amounts, broken_down } of cells.days()) {
      lines.push(...amountLines(`${node} ${formatDay(day)}`, ROLLUP_COLUMNS, amounts))
      for (const breakdown of CELL_BREAKDOWN_NAMES) {
        for (const [value, ofValue] of broken_down[breakdown]) {
          lines.push(...amountLines(`${node} ${formatDay(day)} ${value}`, CELL_BREAKDOWNS[breakdown], ofValue))
        }
      }
    }
    for (const { day, error_message, failed } of cells.failures()) {
      lines.push(...amountLines(`${node} ${formatDay(day)} ${error_message}`, ['failed'], [failed]))
    }
  }
  return lines.sort()
}

/** A cell that returns to zero is deleted, so there is none of zeros. */
function amountLines(cell: string, names: readonly string[], amounts: readonly bigint[]): string[] {
  if (amounts.every((amount) => amount === 0n)) return [`${cell} is empty`]
  return names.flatMap((name, i) => (amounts[i] === 0n ? [] : [`${cell} ${name} ${amounts[i]}`]))
}

/** The lines that the rollups should have, from what the naive model counted. */
export function countLines(all: readonly Counted[], failures: readonly CountedFailure[]): string[] {
  const sums = new Map<string, bigint>()
  const add = (
    { account_id, ad_id, day }: Pick<Counted, 'account_id' | 'ad_id' | 'day'>,
    of: string,
    amount: bigint,
  ) => {
    for (const node of [`act_${account_id}`, `${account_id} ${ad_id}`]) {
      sums.set(`${node} ${day} ${of}`, (sums.get(`${node} ${day} ${of}`) ?? 0n) + amount)
    }
  }
  for (const counted of all) {
    const { hour, counter, region_class, country, btn_name, amount } = counted
    add(counted, `${counter}_${region_class}`, amount)
    add(counted, `${country} ${counter}`, amount)
    add(counted, `${hour} ${counter}_${region_class}`, amount)
    if (btn_name !== null) add(counted, `${btn_name} ${counter}_${region_class}`, amount)
  }
  for (const failure of failures) add(failure, `${failure.error_message} failed`, 1n)
  return [...sums]
    .filter(([, amount]) => amount !== 0n)
    .map(([cell, amount]) => `${cell} ${amount}`)
    .sort()
}

import { writeFileSync } from 'node:fs'
import { parseDay } from '../../src/domain/day.ts'
import { importFacts } from '../../src/ingest/import.ts'
import { KeyedPseudonyms } from '../../src/ingest/pseudonym.ts'
import { importRates } from '../../src/ingest/rates.ts'
import { importSubscribers } from '../../src/ingest/subscribers.ts'
import { formatImportLine } from '../../src/sandbox/event.ts'
import { Admission } from '../../src/store/admission.ts'
import { catchUp } from '../../src/store/catch-up.ts'
import { forget } from '../../src/store/forget.ts'
import { prune } from '../../src/store/prune.ts'
import { registerAd } from '../../src/store/register-ad.ts'
import { type Account, RegistryError } from '../../src/store/registry.ts'
import { sqliteStoreOn } from '../../src/store/sqlite/store.ts'
import { type Store, StoreUnavailableError } from '../../src/store/store.ts'
import { HASH_KEY } from '../open.ts'
import { Connection, DiskFailure, type Fault, Killed, SYNC } from './connection.ts'
import type { Disk } from './disk.ts'
import type { Act, RateRow } from './step.ts'
import { Violation } from './violation.ts'

/** What an act is told of the world, and tells it. */
export interface ActWorld {
  readonly disk: Disk
  readonly now_ms: () => number
  /** By how many pages the database can grow; as it likes where it is not said. */
  readonly pages: number | undefined
  /** Whether the act is one that must be refused. */
  readonly isRefused: boolean
  /** The act is committed. What it has left to do, catching up does. */
  readonly onCommit: () => void
  /** The power was cut: of what was not synced, so much is left, from 0 to 1. */
  readonly onPowerCut: (left: number) => void
}

/** What became of an act: all of it is done, it is one that must be refused, or it was interrupted at some point. */
export type ActEnd = 'done' | 'refused' | 'interrupted'

/** Does what a command does, in a process of its own, which a fault may strike. */
export async function administer(act: Act, fault: Fault | undefined, world: ActWorld): Promise<ActEnd> {
  let commits = 0
  const onCommit = () => {
    world.disk.noteCommit()
    // The first commit is the act; what follows catches up with it. A prune is made of many, and is one when all are done.
    if (commits++ === 0 && act.kind !== 'prune') world.onCommit()
  }
  const onKill = (left: number | undefined) => (left === undefined ? undefined : world.onPowerCut(left))
  const connection = new Connection({ onCommit, onKill })
  const end = () => world.disk.beginSync()()
  const log = { sync: async () => connection.run(SYNC, end), [Symbol.asyncDispose]: async () => {} }
  await using store = sqliteStoreOn(connection.over(world.disk.open(world.pages)), log)
  if (fault !== undefined) connection.arm(fault)
  try {
    const admission = new Admission()
    await perform(act, store, admission, world)
    await catchUp(store, admission, world.now_ms)
  } catch (error) {
    if (error instanceof RegistryError && world.isRefused) return 'refused'
    const isPlayed = [StoreUnavailableError, DiskFailure, Killed].some((kind) => error instanceof kind)
    if (isPlayed) return 'interrupted'
    throw error
  }
  if (act.kind === 'prune') world.onCommit()
  if (world.isRefused) throw new Violation(`an act is done that should be refused: ${JSON.stringify(act)}`)
  return 'done'
}

async function perform(act: Act, store: Store, admission: Admission, { disk, now_ms }: ActWorld): Promise<void> {
  const pseudonyms = new KeyedPseudonyms(HASH_KEY)
  const onBadLine = () => {}
  switch (act.kind) {
    case 'import': {
      const file = written(disk.file('facts.ndjson'), act.events.map(formatImportLine))
      await importFacts(file, { store, admission, pseudonyms, now_ms, onBadLine, onProgress: () => {} })
      return
    }
    case 'rates': {
      const rows = act.rates.map(({ country, price_micros, valid_from }) => [country, price(price_micros), valid_from])
      const file = written(disk.file('rates.csv'), ['country,price,valid_from', ...rows.map(String)])
      const { account } = await accountOf(store, act.account_id)
      await importRates(file, store, account, onBadLine)
      return
    }
    case 'countries': {
      const rows = act.rows.map(({ token, country }) => `${token},${country}`)
      await importSubscribers(written(disk.file('list.csv'), ['token,country', ...rows]), store, pseudonyms, onBadLine)
      return
    }
    case 'prune': {
      const account = await accountOf(store, act.account_id)
      const before = parseDay(act.before) ?? 0
      const nothing = { rest: async () => {}, onProgress: () => {} }
      await prune(store, admission, { accounts: [account], before, now_ms, ...nothing })
      return
    }
    case 'forget':
      await forget(store, pseudonyms.subscriber(act.token), pseudonyms.subscriber(act.replacement), now_ms())
      return
    default:
      await register(act, store, now_ms)
  }
}

/** What is said of accounts and campaigns. */
async function register(act: Act, store: Store, now_ms: () => number): Promise<void> {
  if (act.kind === 'zone') {
    const { time_zone, account_id } = act
    await store.write(({ registry }) =>
      registry.setAccount(account_id, { time_zone, link_page_ids: [], unlink_page_ids: [] }),
    )
  } else if (act.kind === 'link' || act.kind === 'unlink') {
    const [link_page_ids, unlink_page_ids] = act.kind === 'link' ? [[act.page_id], []] : [[], [act.page_id]]
    await store.write(({ registry }) => registry.setAccount(act.account_id, { link_page_ids, unlink_page_ids }))
  } else if (act.kind === 'claim' || act.kind === 'move') {
    const { account } = await accountOf(store, act.account_id)
    await store.write(async ({ registry, rollups }) => {
      const { campaign_id } = act
      if (act.kind === 'claim') return registerAd(registry, { account, campaign_id }, now_ms())
      const known = (await registry.listCampaigns()).find((one) => one.campaign_id === campaign_id)
      if (known === undefined) throw new RegistryError(`there is no campaign ${campaign_id}`)
      await registry.moveCampaign(campaign_id, account)
      for (const id of [known.account_id, act.account_id]) {
        await rollups.sumAccount((await accountOf(store, id)).account)
      }
    })
  }
}

async function accountOf(store: Store, account_id: string): Promise<Account> {
  const account = await store.registry.readAccount(account_id)
  if (account === undefined) throw new Error(`there is no account ${account_id}`)
  return account
}

function written(file: string, lines: readonly string[]): string {
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

function price(micros: RateRow['price_micros']): string {
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`
}

import { writeFileSync } from 'node:fs'
import { importFacts } from '../../src/ingest/import.ts'
import { KeyedPseudonyms } from '../../src/ingest/pseudonym.ts'
import { importRates } from '../../src/ingest/rates.ts'
import { importSubscribers } from '../../src/ingest/subscribers.ts'
import { formatImportLine } from '../../src/sandbox/event.ts'
import { Admission, singleIdAd } from '../../src/store/admission.ts'
import { catchUp } from '../../src/store/catch-up.ts'
import { forget } from '../../src/store/forget.ts'
import { RegistryError } from '../../src/store/registry.ts'
import { sqliteStoreOn } from '../../src/store/sqlite/store.ts'
import { type Store, StoreBusyError } from '../../src/store/store.ts'
import { HASH_KEY } from '../open.ts'
import { Connection, type Fault, Killed } from './connection.ts'
import type { Disk } from './disk.ts'
import type { Act, RateRow } from './step.ts'
import { Violation } from './violation.ts'

/** What an act is told of the world, and tells it. */
export interface ActWorld {
  readonly disk: Disk
  readonly now_ms: () => number
  /** Whether the act is one that must be refused. */
  readonly isRefused: boolean
  readonly onCommit: () => void
}

/** What became of an act: it may be committed and not be caught up with when its process is killed. */
export type ActEnd = 'done' | 'refused' | 'busy' | 'killed' | 'failed'

/** Does what a command does, in a process of its own, which a fault may strike. */
export async function administer(act: Act, fault: Fault | undefined, world: ActWorld): Promise<ActEnd> {
  let commits = 0
  const onCommit = () => {
    // The first commit is the act; what follows catches up with it.
    if (commits++ === 0) world.onCommit()
  }
  const connection = new Connection({ onCommit, onKill: () => {} })
  await using store = sqliteStoreOn(connection.over(world.disk.open()), 0)
  if (fault !== undefined) connection.arm(fault)
  try {
    const admission = new Admission()
    await perform(act, store, admission, world)
    await catchUp(store, admission, world.now_ms)
  } catch (error) {
    if (error instanceof RegistryError && world.isRefused) return 'refused'
    if (error instanceof StoreBusyError) return 'busy'
    if (error instanceof Killed) return 'killed'
    if (fault?.effect.startsWith('fail')) return 'failed'
    throw error
  }
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
      await importRates(file, store, await numberOf(store, act.account_id), onBadLine)
      return
    }
    case 'countries': {
      const rows = act.rows.map(({ token, country }) => `${token},${country}`)
      await importSubscribers(written(disk.file('list.csv'), ['token,country', ...rows]), store, pseudonyms, onBadLine)
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
    const account = await numberOf(store, act.account_id)
    await store.write(async ({ registry, rollups }) => {
      const known = (await registry.listCampaigns()).find(({ campaign_id }) => campaign_id === act.campaign_id)
      if (act.kind === 'claim') {
        if (known?.account_id !== act.account_id) await registry.addAd(singleIdAd(act.campaign_id, account), now_ms())
        return
      }
      if (known === undefined) throw new RegistryError(`there is no campaign ${act.campaign_id}`)
      await registry.moveCampaign(act.campaign_id, account)
      for (const id of [known.account_id, act.account_id]) await rollups.sumAccount(await numberOf(store, id))
    })
  }
}

async function numberOf(store: Store, account_id: string): Promise<number> {
  const account = await store.registry.readAccount(account_id)
  if (account === undefined) throw new Error(`there is no account ${account_id}`)
  return account.account
}

function written(file: string, lines: readonly string[]): string {
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

function price(micros: RateRow['price_micros']): string {
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`
}

import { writeFileSync } from 'node:fs'
import { parseDay } from '../../../src/domain/day.ts'
import { importFacts } from '../../../src/ingest/import.ts'
import { readBatchesHere } from '../../../src/ingest/import-file.ts'
import { KeyedPseudonyms } from '../../../src/ingest/pseudonym.ts'
import { importRates } from '../../../src/ingest/rates.ts'
import { importSubscribers } from '../../../src/ingest/subscribers.ts'
import { formatImportLine } from '../../../src/sandbox/event.ts'
import { Admission } from '../../../src/store/admission.ts'
import { catchUp } from '../../../src/store/catch-up.ts'
import { forget } from '../../../src/store/forget.ts'
import { prune } from '../../../src/store/prune.ts'
import { registerAd } from '../../../src/store/register-ad.ts'
import { type Account, RegistryError } from '../../../src/store/registry.ts'
import type { Store } from '../../../src/store/store.ts'
import { HASH_KEY } from '../../open.ts'
import { Violation } from '../model/violation.ts'
import type { Act, RateRow } from '../plan/step.ts'

/** What an administrator has at hand. */
interface Desk {
  readonly now_ms: () => number
  /** Where a file of this name stands. */
  readonly file: (name: string) => string
}

/** What an act is told of the world, and tells it. */
export interface ActWorld extends Desk {
  /** Opens the store that the act has to itself; what strikes it strikes there. */
  readonly open: (onCommit: () => void) => Promise<Store>
  /** Whether the act is one that must be refused. */
  readonly isRefused: boolean
  /** Whether an error comes of a fault that is played. */
  readonly isPlayed: (error: unknown) => boolean
  /** The act is committed. What it has left to do, catching up does. */
  readonly onCommit: () => void
}

/** What became of an act: all of it is done, it is one that must be refused, or it was interrupted at some point. */
export type ActEnd = 'done' | 'refused' | 'interrupted'

/** Acts that go on where they were interrupted, when they are called again. */
export const RESUMED_ACTS: readonly Act['kind'][] = ['import', 'prune']

/** Acts whose effect depends on what was caught up with before; when that is, nobody promises. */
export const SETTLED_ACTS: readonly Act['kind'][] = ['claim', 'move', 'link', 'unlink', 'prune']

/** Does what a command does, which a fault may strike. */
export async function administer(act: Act, world: ActWorld): Promise<ActEnd> {
  let commits = 0
  await using store = await world.open(() => {
    // The first commit is the act; what follows catches up with it. A prune is made of many, and is one when all are done.
    if (commits++ === 0 && act.kind !== 'prune') world.onCommit()
  })
  try {
    await perform(act, store, world)
  } catch (error) {
    if (error instanceof RegistryError && world.isRefused) return 'refused'
    if (world.isPlayed(error)) return 'interrupted'
    throw error
  }
  if (act.kind === 'prune') world.onCommit()
  if (world.isRefused) throw new Violation(`an act is done that should be refused: ${JSON.stringify(act)}`)
  return 'done'
}

/** Does what a command does with a store, whichever engine's, to the end. */
async function perform(act: Act, store: Store, desk: Desk): Promise<void> {
  const admission = new Admission()
  await begin(act, store, admission, desk)
  await catchUp(store, admission, desk.now_ms)
}

/** The act itself; what it leaves to be done is caught up with. */
async function begin(act: Act, store: Store, admission: Admission, { file, now_ms }: Desk): Promise<void> {
  const pseudonyms = new KeyedPseudonyms(HASH_KEY)
  const onBadLine = () => {}
  const rest = async () => {}
  switch (act.kind) {
    case 'import': {
      const facts = written(file('facts.ndjson'), act.events.map(formatImportLine))
      const readBatches = readBatchesHere(pseudonyms)
      await importFacts(facts, { store, admission, readBatches, now_ms, rest, onBadLine, onProgress: () => {} })
      return
    }
    case 'rates': {
      const rows = act.rates.map(({ country, price_micros, valid_from }) => [country, price(price_micros), valid_from])
      const card = written(file('rates.csv'), ['country,price,valid_from', ...rows.map(String)])
      const { account } = await accountOf(store, act.account_id)
      await importRates(card, store, account, onBadLine)
      return
    }
    case 'countries': {
      const rows = act.rows.map(({ token, country }) => `${token},${country}`)
      await importSubscribers(written(file('list.csv'), ['token,country', ...rows]), store, pseudonyms, onBadLine)
      return
    }
    case 'prune': {
      const account = await accountOf(store, act.account_id)
      const before = parseDay(act.before) ?? 0
      const nothing = { rest, onProgress: () => {} }
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

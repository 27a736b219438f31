import { Argument, type Command } from 'commander'
import { retryRejected } from '../ingest/rejected.ts'
import type { ParkedAd } from '../store/set-aside.ts'
import type { Store } from '../store/store.ts'
import { type Database, databaseCommand } from './database.ts'
import { type Column, count, type OutputMode, outputOption, printRows, say } from './output.ts'

/** Rejected changes that are read at once. */
const CHANGES_MAX = 1000

const PARKED_COLUMNS: readonly Column[] = [
  { key: 'ad_id', label: 'Ad' },
  { key: 'page_id', label: 'Page' },
  { key: 'facts', label: 'Facts' },
  { key: 'way_out', label: 'Counted after' },
]

const REJECTED_COLUMNS: readonly Column[] = [
  { key: 'received_at', label: 'Received' },
  { key: 'reason', label: 'Reason' },
  { key: 'change', label: 'Change' },
]

/** `readout parked`, `readout rejected`, `readout rejected retry`. */
export function addSetAsideCommands(program: Command): void {
  databaseCommand(program, 'parked', 'list facts that wait for their ad to be registered', listParked).addOption(
    outputOption(),
  )
  databaseCommand(
    program,
    'rejected',
    'list webhook changes that are no facts, and why; with retry, read them again and append those that are facts now',
    rejected,
  )
    .addArgument(new Argument('[act]', 'nothing, or retry').choices(['retry']))
    .addOption(outputOption())
}

async function listParked({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const names = new Map((await store.registry.listAccounts()).map(({ account, account_id }) => [account, account_id]))
  const rows = []
  for (const parked of await store.setAside.listParked()) {
    rows.push({ ...parked, way_out: await wayOut(store, parked, names) })
  }
  printRows(PARKED_COLUMNS, rows, options.output)
}

/** The administrator's act after which the facts of an ad and page are counted. */
async function wayOut(
  { registry }: Store,
  { ad_id, page_id }: ParkedAd,
  names: ReadonlyMap<number, string>,
): Promise<string> {
  const node = await registry.readNode(ad_id)
  const links = await registry.readPageLinks(page_id)
  if (node !== undefined) {
    const link = `readout account set act_${names.get(node.account)} --page ${page_id}`
    const linked = [...links].map((account) => `act_${names.get(account)}`).join(', ')
    // An ad registers itself only where its page is linked to one account.
    return links.size === 0 ? link : `${link} (${linked} has it too: new ads of the page then wait to be registered)`
  }
  const [linked, ...others] = links
  const account = linked === undefined || others.length > 0 ? 'ID' : names.get(linked)
  return `readout campaign add ${ad_id} --account act_${account}`
}

async function rejected(database: Database, options: { output: OutputMode }, [act]: string[]): Promise<void> {
  if (act === 'retry') await retry(database)
  else await listRejected(database, options)
}

async function listRejected({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const rows = []
  let after_digest = ''
  for (;;) {
    const changes = await store.setAside.listRejected(after_digest, CHANGES_MAX)
    for (const { received_at, reason, change } of changes) {
      rows.push({ received_at: new Date(received_at).toISOString(), reason, change })
    }
    if (changes.length < CHANGES_MAX) break
    after_digest = changes.at(-1)?.change_digest ?? ''
  }
  rows.sort((a, b) => (a.received_at < b.received_at ? -1 : 1))
  printRows(REJECTED_COLUMNS, rows, options.output)
}

async function retry({ store, admission, now_ms }: Database): Promise<void> {
  const { accepted, rejected } = await retryRejected(store, admission, now_ms())
  say(`${count(accepted, 'change')} counted as facts now; ${count(rejected, 'change')} still set aside`)
}

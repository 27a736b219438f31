import type { Command } from 'commander'
import { retryRejected } from '../ingest/rejected.ts'
import { type Database, databaseCommand } from './database.ts'
import { type Column, type OutputMode, outputOption, printRows, say } from './output.ts'

/** Rejected changes that are read at once. */
const CHANGES_MAX = 1000

const PARKED_COLUMNS: readonly Column[] = [
  { key: 'ad_id', label: 'Ad' },
  { key: 'page_id', label: 'Page' },
  { key: 'facts', label: 'Facts' },
  { key: 'linked', label: 'Page is linked to' },
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
  const rejected = databaseCommand(program, 'rejected', 'list webhook changes that are no facts, and why', listRejected)
  rejected.addOption(outputOption())
  databaseCommand(rejected, 'retry', 'read them again, and append those that have become facts', retry)
}

async function listParked({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const names = new Map((await store.registry.listAccounts()).map(({ account, account_id }) => [account, account_id]))
  const rows = []
  for (const parked of await store.setAside.listParked()) {
    const links = await store.registry.readPageLinks(parked.page_id)
    const linked = [...links].map((account) => `act_${names.get(account)}`).join(' ')
    rows.push({ ...parked, linked: linked === '' ? 'no account' : linked })
  }
  if (rows.length > 0) {
    say('they are counted once the ad is registered (readout campaign add), or its page is linked to one account')
    say('(readout account set act_ID --page ID)')
  }
  printRows(PARKED_COLUMNS, rows, options.output)
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
  say(`${accepted} changes are facts now; ${rejected} are still none`)
}

import type { Command } from 'commander'
import { calendarOf } from '../domain/calendar.ts'
import { dayOf, formatDay, parseDay } from '../domain/day.ts'
import { lockStore } from '../store/open.ts'
import { countPrunable, type PrunedRows, type PruneOptions, prune } from '../store/prune.ts'
import type { Account } from '../store/registry.ts'
import { restAsLong } from '../store/rest.ts'
import { type Database, type DatabaseOptions, databaseCommand } from './database.ts'
import { count, formatBytes, formatTime, say } from './output.ts'
import { Progress } from './progress.ts'
import { findAccount, misused } from './values.ts'

/** A day is closed when nothing comes of it any more: Meta repeats webhooks for 36 hours, and most reads come within days. */
const CLOSED_DAYS_MIN = 7

interface Options extends DatabaseOptions {
  readonly before: string
  readonly account?: string
  readonly dryRun?: boolean
  readonly vacuum?: boolean
}

/** `readout prune`. */
export function addPruneCommand(program: Command): void {
  const help =
    'drop the messages, clicks and failures of those of whom a campaign knows nothing since a day; the counts stay'
  databaseCommand(program, 'prune', help, pruneLedger)
    .requiredOption('--before <day>', `the day, YYYY-MM-DD, at least ${CLOSED_DAYS_MIN} days ago`)
    .option('--account <act_ID>', 'only the ads of this account')
    .option('--dry-run', 'only say how much would go')
    .option('--vacuum', 'then give the space back to the disk; while no server runs')
}

async function pruneLedger(database: Database, options: Options): Promise<void> {
  const before = parseClosedDay(options.before, database.now_ms())
  using _lock = options.vacuum ? lockStore(options.database, 'vacuum') : undefined
  const accounts = await findAccounts(database, options.account)
  using progress = new Progress(options.dryRun ? 'counting' : 'pruning')
  const pruning: PruneOptions = {
    accounts,
    before,
    now_ms: database.now_ms,
    rest: options.vacuum ? async () => {} : restAsLong(),
    onProgress: (done, total, { messages }) => progress.update(done, total, count(messages, 'message')),
  }
  const { store, admission } = database
  const rows = options.dryRun ? await countPrunable(store, pruning) : await prune(store, admission, pruning)
  progress[Symbol.dispose]()
  if (options.dryRun) {
    const bytes = rows.messages * (await store.threads.readBytesPerMessage())
    say(`would prune ${formatRows(rows)}, which take about ${formatBytes(bytes)}`)
    return
  }
  sayPruned(rows, before)
  await sayLaterFloors(database, accounts, before)
  if (options.vacuum) await store.vacuum()
  else if (rows.threads > 0)
    say(
      'their space is used again by what comes; stop the server to give it back to the disk with: readout prune --before DAY --vacuum',
    )
}

function sayPruned(rows: PrunedRows, before: number): void {
  const refused = `facts of these campaigns before ${formatDay(before)} are refused from now on`
  if (rows.threads === 0) {
    say(`there was nothing to prune; ${refused}; see: readout status`)
    return
  }
  say(`pruned ${formatRows(rows)}; their counts stay`)
  say(`${refused}, and later ones of these messages; see: readout status`)
  say('a changed time zone, rate card or subscriber list no longer changes what was counted of them')
}

/** What was pruned before stays refused, also where less was asked for now. */
async function sayLaterFloors({ store }: Database, accounts: readonly Account[], before: number): Promise<void> {
  const floors = new Map((await store.pruned.listFloors()).map(({ account, floor_at }) => [account, floor_at]))
  for (const { account, account_id, time_zone } of accounts) {
    const floor_at = floors.get(account) ?? 0
    if (floor_at > calendarOf(time_zone).startOf(before))
      say(`act_${account_id} is pruned before ${formatTime(floor_at)} already`)
  }
}

function formatRows({ messages, clicks, failures }: PrunedRows): string {
  return `${count(messages, 'message')}, ${count(clicks, 'click')} and ${count(failures, 'failure')}`
}

async function findAccounts({ store }: Database, named: string | undefined): Promise<readonly Account[]> {
  return named === undefined ? store.registry.listAccounts() : [await findAccount(store, named)]
}

function parseClosedDay(text: string, now_ms: number): number {
  const day = parseDay(text)
  const today = dayOf(Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO('UTC').toPlainDate())
  if (day !== undefined && day <= today - CLOSED_DAYS_MIN) return day
  throw misused(`--before is ${text}: it must be a day as YYYY-MM-DD, at least ${CLOSED_DAYS_MIN} days ago`)
}

import type { Command } from 'commander'
import type { AccountChange, AccountFields } from '../store/registry.ts'
import { catchUpNow, type Database, databaseCommand } from './database.ts'
import { CliError } from './error.ts'
import { type Column, type OutputMode, outputOption, printRows, say } from './output.ts'
import { collect, misused, parseAccountId, parseCurrency, parseName, parseNodeId, parseTimeZone } from './values.ts'

const COLUMNS: readonly Column[] = [
  { key: 'account_id', label: 'Account' },
  { key: 'name', label: 'Name' },
  { key: 'currency', label: 'Currency' },
  { key: 'time_zone', label: 'Time zone' },
  { key: 'page_ids', label: 'Pages' },
]

interface AddOptions {
  readonly name: string
  readonly currency: string
  readonly timeZone: string
  readonly page?: readonly string[]
}

interface SetOptions extends Partial<AddOptions> {
  readonly removePage?: readonly string[]
}

/** `readout account add|list|set`. */
export function addAccountCommands(program: Command): void {
  const account = program.command('account').description('ad accounts, and the pages that are linked to them')
  databaseCommand(account, 'add <act_ID>', 'register an ad account', addAccount, parseAccount)
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--currency <code>', 'the ISO 4217 code of its currency, such as USD')
    .requiredOption('--time-zone <zone>', 'its IANA time zone, such as America/Sao_Paulo')
    .option('--page <id>', 'link a page, whose ads are registered here; give it again for more', collect)
  databaseCommand(account, 'list', 'list the ad accounts', listAccounts).addOption(outputOption())
  databaseCommand(account, 'set <act_ID>', 'change an ad account; what is left out stays', setAccount)
    .option('--name <name>', 'what it is called')
    .option('--currency <code>', 'the ISO 4217 code of its currency')
    .option('--time-zone <zone>', 'its IANA time zone; every day is resolved anew')
    .option('--page <id>', 'link a page; give it again for more', collect)
    .option('--remove-page <id>', 'unlink a page; give it again for more', collect)
}

async function addAccount(database: Database, options: AddOptions, [id = '']: string[]): Promise<void> {
  const fields = parseAccount([id], options)
  const { account_id, page_ids } = fields
  await database.store.write(({ registry }) => registry.addAccount(fields))
  await catchUpNow(database)
  const pages = page_ids.length === 0 ? 'no page is linked to it yet' : `linked pages: ${page_ids.join(', ')}`
  say(`account act_${account_id} is registered; ${pages}`)
}

function parseAccount([id = '']: readonly string[], { name, currency, timeZone, page }: AddOptions): AccountFields {
  return {
    account_id: parseAccountId(id),
    name: parseName(name),
    currency: parseCurrency(currency),
    time_zone: parseTimeZone(timeZone),
    page_ids: parsePages(page),
  }
}

async function listAccounts({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const accounts = await store.registry.listAccounts()
  const rows = accounts.map((account) => ({
    ...account,
    account_id: `act_${account.account_id}`,
    page_ids: account.page_ids.join(' '),
  }))
  printRows(COLUMNS, rows, options.output)
}

async function setAccount(database: Database, options: SetOptions, [id = '']: string[]): Promise<void> {
  const account_id = parseAccountId(id)
  const { name, currency, timeZone } = options
  const change = {
    name: name === undefined ? undefined : parseName(name),
    currency: currency === undefined ? undefined : parseCurrency(currency),
    time_zone: timeZone === undefined ? undefined : parseTimeZone(timeZone),
    link_page_ids: parsePages(options.page),
    unlink_page_ids: parsePages(options.removePage),
  }
  await checkChange(database, account_id, change)
  await database.store.write(({ registry }) => registry.setAccount(account_id, change))
  await catchUpNow(database)
  say(`account act_${account_id} is changed`)
  if (currency !== undefined) say(`amounts are not converted: the numbers stay, and are told in ${change.currency}`)
}

/** An act that would change nothing, or not what it says, is a mistake: links decide who sees a number. */
async function checkChange({ store }: Database, account_id: string, change: AccountChange): Promise<void> {
  const { name, currency, time_zone, link_page_ids, unlink_page_ids } = change
  const isNothing = [name, currency, time_zone].every((one) => one === undefined)
  if (isNothing && link_page_ids.length + unlink_page_ids.length === 0) {
    throw misused(`nothing to change of act_${account_id}: say what; see: readout account set --help`)
  }
  const both = link_page_ids.find((page) => unlink_page_ids.includes(page))
  if (both !== undefined) throw misused(`page ${both} is to be linked and unlinked: say one of both`)
  const known = (await store.registry.readAccount(account_id))?.page_ids
  const unlinked = unlink_page_ids.find((page) => known !== undefined && !known.includes(page))
  if (unlinked !== undefined)
    throw new CliError(`page ${unlinked} is not linked to act_${account_id}; see: readout account list`)
}

function parsePages(pages: readonly string[] = []): readonly string[] {
  return [...new Set(pages.map((page) => parseNodeId('page', page)))]
}

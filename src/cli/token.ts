import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import { hashToken, PERMISSIONS, type Permission } from '../store/tokens.ts'
import { type Database, databaseCommand } from './database.ts'
import { CliError, EXIT } from './error.ts'
import { type Column, type OutputMode, outputOption, printRows, say } from './output.ts'
import { collect, findAccount, parseExpiry } from './values.ts'

/** Characters of a token's hash that name it in lists. */
const NAME_LENGTH = 12

const TOKEN_BYTES = 32

/** Tells what it is wherever it turns up, and is never taken for an option, as a leading dash is. */
const TOKEN_PREFIX = 'readout_'

const COLUMNS: readonly Column[] = [
  { key: 'name', label: 'Token' },
  { key: 'permission', label: 'Permission' },
  { key: 'accounts', label: 'Accounts' },
  { key: 'created_at', label: 'Created' },
  { key: 'expires_at', label: 'Expires' },
]

/** `readout token create|list|revoke`. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('access tokens of the API')
  databaseCommand(token, 'create', 'make a token; it is printed once, and only its hash is kept', createToken)
    .requiredOption('--account <act_ID>', 'an account that it may see; give it again for more', collect)
    .addOption(
      new Option('--permission <permission>', 'what it may do; each includes the one before')
        .choices(PERMISSIONS)
        .makeOptionMandatory(),
    )
    .option('--expires <when>', 'a day, as 2027-01-31, or so long from now, as 12h or 90d; never when left out')
  databaseCommand(token, 'list', 'list the tokens by the first digits of their hashes', listTokens).addOption(
    outputOption(),
  )
  databaseCommand(token, 'revoke <token>', 'take a token away, named by itself or as the list names it', revokeToken)
}

async function createToken(
  { store, now_ms }: Database,
  options: { account: readonly string[]; permission: Permission; expires?: string },
): Promise<void> {
  const created_at = now_ms()
  const expires_at = options.expires === undefined ? undefined : parseExpiry(options.expires, created_at)
  const accounts = await Promise.all(options.account.map((id) => findAccount(store, id)))
  const token = TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
  await store.write(({ tokens }) =>
    tokens.add({
      token_hash: hashToken(token),
      permission: options.permission,
      created_at,
      expires_at,
      accounts: new Set(accounts.map(({ account }) => account)),
    }),
  )
  process.stdout.write(`${token}\n`)
}

async function listTokens({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const names = new Map((await store.registry.listAccounts()).map(({ account, account_id }) => [account, account_id]))
  const tokens = await store.tokens.list()
  const rows = tokens.map(({ token_hash, permission, created_at, expires_at, accounts }) => ({
    name: token_hash.slice(0, NAME_LENGTH),
    permission,
    accounts: [...accounts].map((account) => `act_${names.get(account)}`).join(' '),
    created_at: new Date(created_at).toISOString(),
    expires_at: expires_at === undefined ? 'never' : new Date(expires_at).toISOString(),
  }))
  printRows(COLUMNS, rows, options.output)
}

async function revokeToken({ store }: Database, _options: unknown, [text = '']: string[]): Promise<void> {
  const isName = /^[0-9a-f]{12,64}$/.test(text)
  const revoked = await store.write(({ tokens }) => tokens.revoke(isName ? text : hashToken(text)))
  if (revoked === 0) throw new CliError('there is no such token; see: readout token list', EXIT.unauthorized)
  say('the token is revoked')
}

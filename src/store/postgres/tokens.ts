import type { Permission, Token, Tokens } from '../tokens.ts'
import { raiseVersion } from './registry.ts'
import type { Row, Session } from './session.ts'

const READ_TOKENS = `
  SELECT token_hash, permission, created_at, expires_at, ARRAY_AGG(account) AS accounts
  FROM token JOIN token_account USING (token_hash)`

const ADD_TOKEN = 'INSERT INTO token (token_hash, permission, created_at, expires_at) VALUES ($1, $2, $3, $4)'

const NAME_ACCOUNTS = 'INSERT INTO token_account (token_hash, account) SELECT $1, unnest($2::integer[])'

export class PostgresTokens implements Tokens {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async add({ token_hash, permission, created_at, expires_at, accounts }: Token): Promise<void> {
    await this.#session.run(ADD_TOKEN, token_hash, permission, created_at, expires_at ?? null)
    await this.#session.run(NAME_ACCOUNTS, token_hash, [...accounts])
    await raiseVersion(this.#session)
  }

  async list(): Promise<Token[]> {
    const rows = await this.#session.rows(`${READ_TOKENS} GROUP BY token_hash ORDER BY created_at, token_hash`)
    return rows.map(tokenOf)
  }

  async read(token_hash: string): Promise<Token | undefined> {
    const row = await this.#session.row(`${READ_TOKENS} WHERE token_hash = $1 GROUP BY token_hash`, token_hash)
    return row && tokenOf(row)
  }

  async revoke(token_hash_prefix: string): Promise<number> {
    const revoked = await this.#session.run('DELETE FROM token WHERE starts_with(token_hash, $1)', token_hash_prefix)
    await raiseVersion(this.#session)
    return revoked
  }
}

function tokenOf(row: Row): Token {
  return {
    token_hash: String(row.token_hash),
    permission: row.permission as Permission,
    created_at: Number(row.created_at),
    expires_at: row.expires_at === null ? undefined : Number(row.expires_at),
    accounts: new Set(row.accounts as number[]),
  }
}

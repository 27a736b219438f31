import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Permission, Token, Tokens } from '../tokens.ts'
import { RAISE_VERSION } from './registry.ts'

const READ_TOKENS = `
  SELECT token_hash, permission, created_at, expires_at, json_group_array(account) AS accounts
  FROM token JOIN token_account USING (token_hash)`

export class SqliteTokens implements Tokens {
  readonly #db: DatabaseSync
  readonly #read: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#read = db.prepare(`${READ_TOKENS} WHERE token_hash = ? GROUP BY token_hash`)
  }

  async add({ token_hash, permission, created_at, expires_at, accounts }: Token): Promise<void> {
    this.#db
      .prepare('INSERT INTO token (token_hash, permission, created_at, expires_at) VALUES (?, ?, ?, ?)')
      .run(token_hash, permission, created_at, expires_at ?? null)
    const name = this.#db.prepare('INSERT INTO token_account (token_hash, account) VALUES (?, ?)')
    for (const account of accounts) name.run(token_hash, account)
    this.#db.exec(RAISE_VERSION)
  }

  async list(): Promise<Token[]> {
    const rows = this.#db.prepare(`${READ_TOKENS} GROUP BY token_hash ORDER BY created_at, token_hash`).all()
    return rows.map(tokenOf)
  }

  async read(token_hash: string): Promise<Token | undefined> {
    const row = this.#read.get(token_hash)
    return row && tokenOf(row)
  }

  async revoke(token_hash_prefix: string): Promise<number> {
    const revoked = this.#db
      .prepare('DELETE FROM token WHERE substr(token_hash, 1, length(?1)) = ?1')
      .run(token_hash_prefix)
    this.#db.exec(RAISE_VERSION)
    return Number(revoked.changes)
  }
}

function tokenOf(row: Record<string, unknown>): Token {
  return {
    token_hash: String(row.token_hash),
    permission: row.permission as Permission,
    created_at: Number(row.created_at),
    expires_at: row.expires_at === null ? undefined : Number(row.expires_at),
    accounts: new Set(JSON.parse(String(row.accounts)) as number[]),
  }
}

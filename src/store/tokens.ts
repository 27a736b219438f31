import { hash } from 'node:crypto'

export const PERMISSIONS = ['read', 'write', 'admin'] as const

export type Permission = (typeof PERMISSIONS)[number]

/** An access token, known by its hash; it names the accounts it may read. */
export interface Token {
  readonly token_hash: string
  readonly permission: Permission
  readonly created_at: number
  /** Milliseconds since 1970; a token without one does not expire. */
  readonly expires_at?: number | undefined
  readonly accounts: ReadonlySet<number>
}

/** Whether the time of a token is over. */
export function hasExpired({ expires_at }: Token, now_ms: number): boolean {
  return expires_at !== undefined && expires_at <= now_ms
}

/** Tokens are long and random, so a plain digest hides them well enough, and can be looked up. */
export function hashToken(token: string): string {
  return hash('sha256', token)
}

/** Each change raises the registry's version: whoever remembers a token forgets it then. */
export interface Tokens {
  add(token: Token): Promise<void>
  list(): Promise<Token[]>
  read(token_hash: string): Promise<Token | undefined>
  /** Takes away the tokens whose hash starts so; returns how many. */
  revoke(token_hash_prefix: string): Promise<number>
}

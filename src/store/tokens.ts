export const PERMISSIONS = ['read', 'write', 'admin'] as const

export type Permission = (typeof PERMISSIONS)[number]

/** An access token, known by its hash; it names the accounts it may read. */
export interface Token {
  readonly token_hash: string
  readonly permission: Permission
  readonly created_at: number
  readonly accounts: ReadonlySet<number>
}

export interface Tokens {
  add(token: Token): Promise<void>
  list(): Promise<Token[]>
  read(token_hash: string): Promise<Token | undefined>
  /** Takes away the tokens whose hash starts so; returns how many. */
  revoke(token_hash_prefix: string): Promise<number>
}

import { pino } from 'pino'
import { KeyedPseudonyms } from '../src/ingest/pseudonym.ts'
import { formatSignature } from '../src/ingest/signature.ts'
import { openServer, type ServerConfig } from '../src/server.ts'
import { singleIdAd } from '../src/store/admission.ts'
import type { AccountFields } from '../src/store/registry.ts'
import type { Store } from '../src/store/store.ts'
import { hashToken, type Permission } from '../src/store/tokens.ts'
import { openDatabase } from './database.ts'

export const APP_SECRET = 'an app secret'
export const HASH_KEY = new Uint8Array(32).fill(7)
/** Noon in London, and what the clock of a test server shows until it is set. */
export const NOW = Temporal.Instant.from('2026-11-20T12:00:00Z')

/** What an answer's JSON may hold; the tests say what it does. */
export type Json = { readonly [key: string]: Json } & Json[] & string

/** A real server on a port of its own, with its writer thread and a new database unless it is given one. */
export class TestServer implements AsyncDisposable {
  readonly #parts = new AsyncDisposableStack()
  now = NOW
  url = ''
  store!: Store
  database = ''
  readonly pseudonyms = new KeyedPseudonyms(HASH_KEY)

  static async open(config: Partial<ServerConfig> = {}): Promise<TestServer> {
    const test = new TestServer()
    test.database = config.database ?? test.#parts.use(await openDatabase()).name
    const server = await openServer({
      host: '127.0.0.1',
      port: 0,
      database: test.database,
      public_url: undefined,
      app_secrets: [APP_SECRET],
      verify_token: 'a verify token',
      hash_key: HASH_KEY,
      require_appsecret_proof: false,
      request_limit: undefined,
      cors_origins: [],
      metrics_token: undefined,
      meta_history_limit: false,
      now: () => test.now,
      log: pino({ level: 'silent' }),
      prepare: async () => {},
      onDeath: (cause) => {
        throw cause
      },
      ...config,
    })
    test.#parts.use(server)
    test.url = server.url
    test.store = server.store
    return test
  }

  /** Registers an account and a token for it, which is `token` and the account's digits. */
  async addAccount(account_id: string, fields: Partial<AccountFields> = {}): Promise<void> {
    const all = { account_id, name: account_id, currency: 'USD', time_zone: 'UTC', page_ids: [], ...fields }
    await this.store.write(async ({ registry, tokens }) => {
      const { account } = await registry.addAccount(all)
      const token_hash = hashToken(`token ${account_id}`.replace(' ', ''))
      await tokens.add({ token_hash, permission: 'read', created_at: 0, accounts: new Set([account]) })
    })
  }

  /** Adds a token for an account that was added before. */
  async addToken(token: string, account_id: string, permission: Permission, expires_at?: number): Promise<void> {
    await this.store.write(async ({ registry, tokens }) => {
      const { account = -1 } = (await registry.readAccount(account_id)) ?? {}
      const accounts = new Set([account])
      await tokens.add({ token_hash: hashToken(token), permission, created_at: 0, expires_at, accounts })
    })
  }

  /** Asks the Graph door for what stands behind the version; `token1` unless the path names another token. */
  async graph(path: string, init: RequestInit = {}): Promise<Json> {
    const token = path.includes('access_token=') ? '' : `${path.includes('?') ? '&' : '?'}access_token=token1`
    return (await fetch(`${this.url}/v25.0/${path}${token}`, init)).json() as Promise<Json>
  }

  async addCampaign(id: string, account_id: string): Promise<void> {
    await this.store.write(async ({ registry }) => {
      const account = await registry.readAccount(account_id)
      await registry.addAd(singleIdAd(id, account?.account ?? -1))
    })
  }

  /** Posts a webhook; text as it is, anything else as JSON; signed unless headers are given. */
  async post(webhook: unknown, headers?: Record<string, string>): Promise<Response> {
    const body = Buffer.from(typeof webhook === 'string' ? webhook : JSON.stringify(webhook))
    return fetch(`${this.url}/webhooks/messenger`, {
      method: 'POST',
      headers: headers ?? { 'x-hub-signature-256': formatSignature(body, APP_SECRET) },
      body,
    })
  }

  /** The one insights row of a node, or `undefined` where there is none. */
  async row(id: string, query: string, account_id: string): Promise<Record<string, string> | undefined> {
    const response = await fetch(`${this.url}/v25.0/${id}/insights?access_token=token${account_id}&${query}`)
    const { data, error } = (await response.json()) as { data: Record<string, string>[]; error: unknown }
    if (error !== undefined) throw new Error(JSON.stringify(error))
    return data[0]
  }

  /** The value of a metric of the operations door, 0 while it was never counted. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1) ?? 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync()
  }
}

/** Milliseconds since 1970 of an ISO time. */
export function ms(time: string): number {
  return Temporal.Instant.from(time).epochMilliseconds
}

/** A webhook of one page with changes in the shape of the app dashboard's sample. */
export function envelope(page_id: string, ...values: readonly Record<string, unknown>[]): unknown {
  const changes = values.map((value) => ({ field: value.field, value }))
  return { object: 'page', entry: [{ id: page_id, time: NOW.epochMilliseconds, changes }] }
}

import assert from 'node:assert/strict'
import type { Fact } from '../src/domain/fact.ts'
import { answer, type GraphDoor } from '../src/graph/answer.ts'
import { Directory } from '../src/graph/directory.ts'
import { answerErrand } from '../src/graph/errand.ts'
import type { GraphRequest } from '../src/graph/request.ts'
import { Admission, singleIdAd } from '../src/store/admission.ts'
import { append } from '../src/store/append.ts'
import { gather } from '../src/store/gather.ts'
import type { Store, Tables } from '../src/store/store.ts'
import { hashToken } from '../src/store/tokens.ts'
import { openEmptyStore } from './database.ts'

export const NOW = Temporal.Instant.from('2026-03-18T12:00:00Z')

/** Reads account 1, and its ad 11; account 2 and its ad 21 are another tenant's. */
export const TOKEN = 'EAA-one'

/** The same accounts, until NOW. */
export const EXPIRED_TOKEN = 'EAA-one-expired'

/** The same accounts, to change. */
export const WRITE_TOKEN = 'EAA-one-write'

export const DELIVERED: Fact = {
  kind: 'delivered',
  at: Date.parse('2026-03-17T12:00:00Z'),
  ad_id: '11',
  page_id: '101',
  subscriber: 'ann',
  tracking_id: 't1',
  mid: null,
  price_micros: 14_109n,
  country: null,
  btn_name: null,
  error_message: null,
}

/** Two tenants, each with one ad that was delivered once. */
export async function openTenants(): Promise<Store> {
  const store = await openEmptyStore()
  await store.write(async (tables) => {
    await addTenant(tables, '1', TOKEN)
    await addTenant(tables, '2', 'EAA-two')
    const accounts = new Set([(await tables.registry.readAccount('1'))?.account ?? 0])
    await tables.tokens.add({ token_hash: hashToken(WRITE_TOKEN), permission: 'write', created_at: 0, accounts })
    const expired = { token_hash: hashToken(EXPIRED_TOKEN), created_at: 0, expires_at: NOW.epochMilliseconds, accounts }
    await tables.tokens.add({ ...expired, permission: 'write' })
    await appendFacts(tables, [DELIVERED, { ...DELIVERED, ad_id: '21' }])
  })
  return store
}

async function addTenant({ registry, tokens }: Tables, account_id: string, token: string): Promise<void> {
  const names = { account_id, name: `Account ${account_id}`, currency: 'USD', time_zone: 'UTC', page_ids: [] }
  const { account } = await registry.addAccount(names)
  await registry.addAd(singleIdAd(`${account_id}1`, account, 'Spring'))
  await tokens.add({ token_hash: hashToken(token), permission: 'read', created_at: 0, accounts: new Set([account]) })
}

export async function appendFacts(tables: Tables, facts: readonly Fact[]): Promise<void> {
  const admission = new Admission()
  await admission.open(tables.registry, NOW.epochMilliseconds)
  await append(tables, admission, gather(facts))
}

/** What the deputy's thread does, without the thread. */
export function deputyOf(store: Store): GraphDoor['deputy'] {
  const kept = { reading: store, directory: new Directory(), writing: store }
  const desk = { ...kept, meta_history_limit: false, onObject: async () => {} }
  return { answer: (errand) => answerErrand(errand, desk) }
}

/** The Graph door of a server, without the server. */
export function doorOf(store: Store, known: Partial<GraphDoor> = {}): GraphDoor {
  return {
    store,
    directory: new Directory(),
    now: () => NOW,
    meta_history_limit: false,
    app_secrets: [],
    require_appsecret_proof: false,
    request_limit: undefined,
    reporter: { order: async () => {} },
    deputy: deputyOf(store),
    newRunId: () => '900000000000000001',
    onRefusal: () => {},
    newTraceId: () => 'A-trace',
    onFailure: (cause) => assert.fail(`no failure of ours is expected, and this is one: ${cause}`),
    ...known,
  }
}

export type Asked = Partial<Omit<GraphRequest, 'path' | 'query' | 'body'>> & { readonly body?: string }

export const BEARER = { authorization: `Bearer ${TOKEN}` }
export const JSON_HEADERS = { ...BEARER, 'content-type': 'application/json' }

/** Asks a door for a URL, as the holder of TOKEN unless told otherwise. */
export function askDoor(door: GraphDoor, url: string, { body, ...asked }: Asked = {}) {
  const [path = '', query = ''] = url.split('?')
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const request = { method: 'GET', path, query, headers: BEARER, base_url: 'http://localhost', body: bytes, ...asked }
  return answer(request, door)
}

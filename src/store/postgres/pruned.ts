import { type BaselinePart, type Floor, hashMessage, type MessageKey, type Pruned } from '../pruned.ts'
import type { AdKey } from '../threads.ts'
import { raiseVersion } from './registry.ts'
import { columnsOf, type Session } from './session.ts'
import { rowsOfTenant } from './tenant.ts'
import { byAccount } from './threads.ts'

const RAISE_FLOOR = `
  INSERT INTO pruned_ad (account, ad, floor_at) SELECT account, ad, $2 FROM ad WHERE account = $1
  ON CONFLICT (account, ad) DO UPDATE SET floor_at = GREATEST(pruned_ad.floor_at, excluded.floor_at)`

const LIST_FLOORS = `
  SELECT account, MAX(floor_at) AS floor_at, SUM(refused_facts) AS refused_facts FROM pruned_ad
  GROUP BY account ORDER BY account`

const ADD_MESSAGES = `
  INSERT INTO pruned_message (account, ad, message_hash)
  ${rowsOfTenant('$2::integer[], $3::bigint[]')} ON CONFLICT DO NOTHING`

/** The places of the messages that are there, counted from 1. */
const FILTER_MESSAGES = `
  SELECT place FROM unnest($2::integer[], $3::bigint[]) WITH ORDINALITY AS key (ad, message_hash, place), LATERAL (
    SELECT 1 FROM pruned_message AS own WHERE account = $1 AND own.ad = key.ad AND own.message_hash = key.message_hash OFFSET 0
  ) AS own`

/** Whoever adds a part holds the ad. */
const READ_NEXT_PART = 'SELECT COALESCE(MAX(part), 0) + 1 AS part FROM baseline WHERE account = $1 AND ad = $2'

const ADD_BASELINE = 'INSERT INTO baseline (account, ad, part, packed) VALUES ($1, $2, $3, $4)'

const READ_BASELINE = `
  SELECT part, packed FROM baseline WHERE account = $1 AND ad = $2 AND part > $3 ORDER BY part LIMIT $4`

const NOTE_REFUSED = 'UPDATE pruned_ad SET refused_facts = refused_facts + $3 WHERE account = $1 AND ad = $2'

export class PostgresPruned implements Pruned {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async raiseFloor(account: number, floor_at: number): Promise<void> {
    await this.#session.run(RAISE_FLOOR, account, floor_at)
    await raiseVersion(this.#session)
  }

  async listFloors(): Promise<Floor[]> {
    const rows = await this.#session.rows(LIST_FLOORS)
    return rows.map((row) => ({
      account: Number(row.account),
      floor_at: Number(row.floor_at),
      refused_facts: Number(row.refused_facts),
    }))
  }

  async addBaseline({ account, ad }: AdKey, packed: Uint8Array): Promise<void> {
    const { part } = (await this.#session.row(READ_NEXT_PART, account, ad)) ?? {}
    await this.#session.run(ADD_BASELINE, account, ad, Number(part), packed)
  }

  async readBaseline({ account, ad }: AdKey, after_part: number, limit: number): Promise<BaselinePart[]> {
    const rows = await this.#session.rows(READ_BASELINE, account, ad, after_part, limit)
    return rows.map((row) => ({ part: Number(row.part), packed: row.packed as Uint8Array }))
  }

  async addMessages(messages: readonly MessageKey[]): Promise<void> {
    for (const [account, ofAccount] of byAccount(messages)) {
      await this.#session.run(ADD_MESSAGES, account, ...keysOf(ofAccount))
    }
  }

  async filterMessages<Message extends MessageKey>(messages: readonly Message[]): Promise<Message[]> {
    const pruned: Message[] = []
    for (const [account, ofAccount] of byAccount(messages)) {
      for (const { place } of await this.#session.rows(FILTER_MESSAGES, account, ...keysOf(ofAccount))) {
        pruned.push(ofAccount[Number(place) - 1] as Message)
      }
    }
    return pruned
  }

  async noteRefused({ account, ad }: AdKey, facts: number): Promise<void> {
    await this.#session.run(NOTE_REFUSED, account, ad, facts)
  }
}

function keysOf(messages: readonly MessageKey[]) {
  return columnsOf(
    messages.map((message) => [message.ad, hashMessage(message)]),
    2,
  )
}

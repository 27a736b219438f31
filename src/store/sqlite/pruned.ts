import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type BaselinePart, type Floor, hashMessage, type MessageKey, type Pruned } from '../pruned.ts'
import type { AdKey } from '../threads.ts'
import { RAISE_VERSION } from './registry.ts'

const RAISE_FLOOR = `
  INSERT INTO pruned_ad (ad, floor_at) SELECT ad, ?2 FROM ad WHERE account = ?1
  ON CONFLICT (ad) DO UPDATE SET floor_at = MAX(floor_at, excluded.floor_at)`

const LIST_FLOORS = `
  SELECT account, MAX(floor_at) AS floor_at, SUM(refused_facts) AS refused_facts FROM pruned_ad JOIN ad USING (ad)
  GROUP BY account ORDER BY account`

const ADD_MESSAGE = 'INSERT OR IGNORE INTO pruned_message (ad, message_hash) VALUES (?, ?)'

const READ_MESSAGE = 'SELECT 1 FROM pruned_message WHERE ad = ? AND message_hash = ?'

const READ_BASELINE = 'SELECT part, packed FROM baseline WHERE ad = ? AND part > ? ORDER BY part LIMIT ?'

const ADD_BASELINE = `
  INSERT INTO baseline (ad, part, packed) SELECT ?1, COALESCE(MAX(part), 0) + 1, ?2 FROM baseline WHERE ad = ?1`

const NOTE_REFUSED = 'UPDATE pruned_ad SET refused_facts = refused_facts + ? WHERE ad = ?'

export class SqlitePruned implements Pruned {
  readonly #db: DatabaseSync
  readonly #readBaseline: StatementSync
  readonly #addMessage: StatementSync
  readonly #readMessage: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#readBaseline = db.prepare(READ_BASELINE)
    this.#addMessage = db.prepare(ADD_MESSAGE)
    this.#readMessage = db.prepare(READ_MESSAGE)
  }

  async raiseFloor(account: number, floor_at: number): Promise<void> {
    this.#db.prepare(RAISE_FLOOR).run(account, floor_at)
    this.#db.exec(RAISE_VERSION)
  }

  async listFloors(): Promise<Floor[]> {
    return this.#db
      .prepare(LIST_FLOORS)
      .all()
      .map((row) => ({
        account: Number(row.account),
        floor_at: Number(row.floor_at),
        refused_facts: Number(row.refused_facts),
      }))
  }

  async addBaseline({ ad }: AdKey, packed: Uint8Array): Promise<void> {
    this.#db.prepare(ADD_BASELINE).run(ad, packed)
  }

  async readBaseline({ ad }: AdKey, after_part: number, limit: number): Promise<BaselinePart[]> {
    const rows = this.#readBaseline.all(ad, after_part, limit)
    return rows.map((row) => ({ part: Number(row.part), packed: row.packed as Uint8Array }))
  }

  async addMessages(messages: readonly MessageKey[]): Promise<void> {
    for (const message of messages) this.#addMessage.run(message.ad, hashMessage(message))
  }

  async filterMessages<Message extends MessageKey>(messages: readonly Message[]): Promise<Message[]> {
    return messages.filter((message) => this.#readMessage.get(message.ad, hashMessage(message)) !== undefined)
  }

  async noteRefused({ ad }: AdKey, facts: number): Promise<void> {
    this.#db.prepare(NOTE_REFUSED).run(facts, ad)
  }
}

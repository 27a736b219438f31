import { createHmac, hash } from 'node:crypto'
import type { Store } from '../store/store.ts'

/** Bytes of the key that personal ids are hashed with. */
export const HASH_KEY_BYTES = 32

/** Characters of a subscriber's hash: 96 bits, so that even a billion subscribers hardly ever share one. */
const SUBSCRIBER_LENGTH = 16

/** Characters of a hashed `mid`: 48 bits, since it only tells apart the messages of one thread. */
const MID_LENGTH = 8

const SETTING = 'hash_key_fingerprint'

/** Thrown where a database was written with another key: under this one every subscriber would be a stranger. */
export class HashKeyError extends Error {
  override readonly name = 'HashKeyError'
}

/** What stands in the place of personal ids: the same for the same id, so that threads can be told apart. */
export interface Pseudonyms {
  subscriber(messenger_subscription_token: string): string
  mid(mid: string): string
}

/** Pseudonyms of records that hold pseudonyms already. */
export const KEPT_PSEUDONYMS: Pseudonyms = { subscriber: (subscriber) => subscriber, mid: (mid) => mid }

/** Keyed hashes: nobody without the key can tell whose they are (design 7). */
export class KeyedPseudonyms implements Pseudonyms {
  readonly #prefix: string

  constructor(key: Uint8Array) {
    // SHA-256 over the key and then the id. That this can be extended, as HMAC cannot, is of no use to anyone here:
    // a hash is compared with hashes, never trusted for what it says; and it takes a third of the time of an HMAC.
    this.#prefix = `${Buffer.from(key).toString('hex')} `
  }

  subscriber(messenger_subscription_token: string): string {
    return this.#hash(`token ${messenger_subscription_token}`).slice(0, SUBSCRIBER_LENGTH)
  }

  mid(mid: string): string {
    return this.#hash(`mid ${mid}`).slice(0, MID_LENGTH)
  }

  #hash(text: string): string {
    return hash('sha256', this.#prefix + text, 'base64url')
  }
}

/** Writes the key's fingerprint into a new database; throws a HashKeyError when the database knows another. */
export async function confirmHashKey(store: Store, key: Uint8Array): Promise<void> {
  const fingerprint = createHmac('sha256', key).update('readout hash key').digest('hex').slice(0, 16)
  const known = (await store.registry.readSetting(SETTING)) ?? (await noteFingerprint(store, fingerprint))
  if (known === fingerprint) return
  throw new HashKeyError(
    `cannot use this hash key: the database was written with the key of fingerprint ${known}, this one has ` +
      `${fingerprint}; put the key file back beside the database, or set READOUT_HASH_KEY to the key it was written with`,
  )
}

/** Throws a HashKeyError when both databases know a key, and not the same. */
export async function confirmSameHashKey(from: Store, to: Store): Promise<void> {
  const [ours, theirs] = await Promise.all([from, to].map(({ registry }) => registry.readSetting(SETTING)))
  if (ours === undefined || theirs === undefined || ours === theirs) return
  throw new HashKeyError(
    `cannot move under another hash key: what is moved was written with the key of fingerprint ${ours}, the target was begun ` +
      `with ${theirs}; name a target that is new with --to`,
  )
}

/** Two servers may start on one new database: the second finds what the first has written. */
function noteFingerprint(store: Store, fingerprint: string): Promise<string> {
  return store.write(async ({ registry }) => {
    const known = await registry.readSetting(SETTING)
    if (known === undefined) await registry.writeSetting(SETTING, fingerprint)
    return known ?? fingerprint
  })
}

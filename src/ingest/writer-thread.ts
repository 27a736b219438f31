import { parentPort, workerData } from 'node:worker_threads'
import { Admission } from '../store/admission.ts'
import { catchUpStep } from '../store/catch-up.ts'
import { openSqliteStore } from '../store/sqlite/store.ts'
import { Intake } from './intake.ts'
import { KeyedPseudonyms } from './pseudonym.ts'
import type { FromWriter, ToWriter, WriterOptions } from './writer.ts'

/** How often the writer looks whether an administrator's act left something to catch up on. */
const CATCH_UP_EVERY_MS = 2000

const { database, hash_key, started_at } = workerData as WriterOptions
const port = parentPort ?? fail('the writer runs in a worker thread of the server')
const store = openSqliteStore(database)
const admission = new Admission()
const intake = new Intake(store, admission, new KeyedPseudonyms(hash_key))

/** The latest time that the server told: this thread has no clock of its own. */
let now_ms = started_at
/** The registry's version under which nothing was left to catch up on. */
let caughtUpVersion = -1

port.on('message', (message: ToWriter) => {
  if (message.kind === 'close') void close()
  else void take(message)
})
setInterval(() => void catchUp(), CATCH_UP_EVERY_MS).unref()
void catchUp()

async function take(group: Extract<ToWriter, { kind: 'group' }>): Promise<void> {
  now_ms = group.received_at
  try {
    const { unreadable, counts } = await intake.take(textsOf(group), now_ms)
    reply({ kind: 'taken', unreadable, counts })
  } catch (error) {
    reply({ kind: 'failed', reason: String(error) })
  }
}

function textsOf({ bytes, lengths }: Extract<ToWriter, { kind: 'group' }>): string[] {
  const buffer = Buffer.from(bytes.buffer)
  let end = 0
  return lengths.map((length) => {
    end += length
    return buffer.toString('utf8', end - length, end)
  })
}

/** Takes one step, and then lets the webhooks that came meanwhile go first. */
async function catchUp(): Promise<void> {
  try {
    const version = await store.registry.readVersion()
    if (version === caughtUpVersion) return
    const step = await catchUpStep(store, admission, now_ms)
    if (step === undefined) caughtUpVersion = version
    else setImmediate(() => void catchUp())
  } catch (error) {
    reply({ kind: 'behind', reason: String(error) })
  }
}

async function close(): Promise<void> {
  await store[Symbol.asyncDispose]()
  port.close()
}

function reply(message: FromWriter): void {
  port.postMessage(message)
}

function fail(message: string): never {
  throw new Error(message)
}

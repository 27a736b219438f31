import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openStore } from '../store/open.ts'
import { CATCH_UP_EVERY_MS, Committer } from './committer.ts'
import { UnpackedFacts } from './packed-facts.ts'
import { goBehindAnswers } from './thread-priority.ts'
import type { CommitterOptions, FromWriter, ToWriter } from './writer.ts'

const { database, started_at, parser } = workerData as CommitterOptions
const port = parentPort ?? fail('the writer runs in a worker thread of the server')
const store = await openStore(database, { is_migrated: true })
let isClosing = false
const committer = new Committer(store, started_at)

goBehindAnswers()

parser.on('message', async (message: ToWriter) => {
  if (message.kind === 'close') await close()
  else reply(await committer.take({ ...message, facts: new UnpackedFacts(message.facts) }))
})
setInterval(() => void catchUp(), CATCH_UP_EVERY_MS).unref()
void catchUp()

async function catchUp(): Promise<void> {
  try {
    await committer.catchUp(nextTurn)
  } catch (error) {
    // The database was let go of in the midst of a step: whoever opens it next takes that.
    if (!isClosing) reply({ kind: 'not-caught-up', reason: String(error) })
  }
}

async function close(): Promise<void> {
  isClosing = true
  await store[Symbol.asyncDispose]()
  parser.close()
  port.close()
}

function reply(message: FromWriter): void {
  port.postMessage(message)
}

function fail(message: string): never {
  throw new Error(message)
}

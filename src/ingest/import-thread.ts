import { parentPort, workerData } from 'node:worker_threads'
import { ImportError, readBatchesHere } from './import-file.ts'
import type { FromImport, ImportThreadOptions, ToImport } from './import-worker.ts'
import { buffersOf, packFacts } from './packed-facts.ts'
import { KeyedPseudonyms } from './pseudonym.ts'

const { file, start, hash_key } = workerData as ImportThreadOptions
const port = parentPort ?? fail('lines are parsed in a worker thread of the import')
/** What time it is, as often as it was asked for a batch. */
const asked: number[] = []
let wake: (() => void) | undefined
let now_ms = 0

port.on('message', (message: ToImport) => {
  asked.push(message.now_ms)
  wake?.()
})
await run()

async function run(): Promise<void> {
  const batches = readBatchesHere(new KeyedPseudonyms(hash_key))(file, start, () => now_ms)[Symbol.asyncIterator]()
  try {
    for (;;) {
      now_ms = await nextAsked()
      const { value: batch } = await batches.next()
      if (batch === undefined) return reply({ kind: 'end' })
      const facts = packFacts(batch.facts)
      reply({ kind: 'batch', batch: { ...batch, facts } }, buffersOf(facts))
    }
  } catch (error) {
    if (!(error instanceof ImportError)) throw error
    reply({ kind: 'refused', reason: error.message })
  }
}

async function nextAsked(): Promise<number> {
  while (asked.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  return asked.shift() as number
}

function reply(message: FromImport, buffers: ArrayBuffer[] = []): void {
  port.postMessage(message, buffers)
}

function fail(message: string): never {
  throw new Error(message)
}

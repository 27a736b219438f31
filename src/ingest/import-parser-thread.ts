import { parentPort, workerData } from 'node:worker_threads'
import { ImportError, parseBatches } from './import-file.ts'
import type { FromImportParser, ImportParserOptions, ToImportParser } from './import-parser.ts'
import { buffersOf, packFacts } from './packed-facts.ts'
import { KeyedPseudonyms } from './pseudonym.ts'

const { file, start, hash_key } = workerData as ImportParserOptions
const port = parentPort ?? fail('lines are parsed in a worker thread of the import')
/** What time it is, as often as it was asked for a batch. */
const asked: number[] = []
let wake: (() => void) | undefined
let now_ms = 0

port.on('message', (message: ToImportParser) => {
  asked.push(message.now_ms)
  wake?.()
})
await run()

async function run(): Promise<void> {
  const batches = parseBatches(file, start, {
    pseudonyms: new KeyedPseudonyms(hash_key),
    now_ms: () => now_ms,
    keep: packFacts,
  })
  try {
    for (;;) {
      now_ms = await nextAsked()
      const { value: batch } = await batches.next()
      if (batch === undefined) return reply({ kind: 'end' })
      reply({ kind: 'batch', batch }, batch.pieces.flatMap(buffersOf))
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

function reply(message: FromImportParser, buffers: ArrayBuffer[] = []): void {
  port.postMessage(message, buffers)
}

function fail(message: string): never {
  throw new Error(message)
}

import { on } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { ImportError, parseBatches } from './import-file.ts'
import type { FromImportParser, ImportParserOptions, ToImportParser } from './import-parser.ts'
import { buffersOf, type PackedFacts, packFacts } from './packed-facts.ts'
import { KeyedPseudonyms } from './pseudonym.ts'

const { hash_key, batch_bytes } = workerData as ImportParserOptions
const port = parentPort ?? fail('lines are parsed in a worker thread of the import')
const pseudonyms = new KeyedPseudonyms(hash_key)
let batches: ReturnType<typeof parseBatches<PackedFacts>> | undefined
let now_ms = 0

for await (const [message] of on(port, 'message') as AsyncIterable<[ToImportParser]>) {
  if (message.kind === 'file') {
    batches = parseBatches(message.file, message.start, {
      pseudonyms,
      now_ms: () => now_ms,
      batch_bytes,
      keep: packFacts,
    })
  } else {
    now_ms = message.now_ms
    await replyWithNext()
  }
}

async function replyWithNext(): Promise<void> {
  try {
    const { value: batch } = (await batches?.next()) ?? {}
    if (batch) reply({ kind: 'batch', batch }, batch.pieces.flatMap(buffersOf))
    else reply({ kind: 'end' })
  } catch (error) {
    if (!(error instanceof ImportError)) throw error
    reply({ kind: 'refused', reason: error.message })
  }
}

function reply(message: FromImportParser, buffers: ArrayBuffer[] = []): void {
  port.postMessage(message, buffers)
}

function fail(message: string): never {
  throw new Error(message)
}

import { parentPort, workerData } from 'node:worker_threads'
import { parseGroup } from './group.ts'
import { buffersOf, packFacts } from './packed-facts.ts'
import { KeyedPseudonyms } from './pseudonym.ts'
import { goBehindAnswers } from './thread-priority.ts'
import type { ParserOptions, ToParser, ToWriter } from './writer.ts'

const { hash_key, writer } = workerData as ParserOptions
const port = parentPort ?? fail('the parser runs in a worker thread of the server')
const pseudonyms = new KeyedPseudonyms(hash_key)

goBehindAnswers()

port.on('message', (message: ToParser) => {
  if (message.kind === 'close') close()
  else {
    const { facts, ...group } = parseGroup(message, pseudonyms)
    // Left to the garbage collector, bodies would have it look through the whole heap every few dozen megabytes.
    for (const { buffer } of message.pieces) buffer.transfer(0)
    const packed = packFacts(facts)
    pass({ kind: 'group', ...group, facts: packed }, buffersOf(packed))
  }
})

/** What was handed over before arrives before. */
function close(): void {
  pass({ kind: 'close' })
  writer.close()
  port.close()
}

function pass(message: ToWriter, buffers: ArrayBuffer[] = []): void {
  writer.postMessage(message, buffers)
}

function fail(message: string): never {
  throw new Error(message)
}

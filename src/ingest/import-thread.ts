import { parentPort, workerData } from 'node:worker_threads'
import { Admission } from '../store/admission.ts'
import { isPostgres, openStore } from '../store/open.ts'
import { restBesideServer } from '../store/rest.ts'
import { importFacts } from './import.ts'
import { BATCH_BYTES, SHARED_BATCH_BYTES } from './import-file.ts'
import { ImportParser } from './import-parser.ts'
import { type FromImport, type ImportThreadOptions, refusalOf } from './import-worker.ts'

const { file, database, hash_key, started_at } = workerData as ImportThreadOptions
const opened_ms = performance.now()
const batch_bytes = isPostgres(database) ? SHARED_BATCH_BYTES : BATCH_BYTES

try {
  await using parser = new ImportParser({ hash_key, batch_bytes })
  await using store = await openStore(database)
  const imported = await importFacts(file, {
    store,
    admission: new Admission(),
    readBatches: parser.readBatches,
    now_ms: () => Math.floor(started_at + performance.now() - opened_ms),
    rest: restBesideServer(database),
    onBadLine: (line, reason) => tell({ kind: 'bad_line', bad: { line, reason } }),
    onProgress: (progress) => tell({ kind: 'progress', progress }),
  })
  tell({ kind: 'imported', imported })
} catch (error) {
  const refusal = refusalOf(error)
  if (refusal === undefined) throw error
  tell(refusal)
}

function tell(message: FromImport): void {
  parentPort?.postMessage(message)
}

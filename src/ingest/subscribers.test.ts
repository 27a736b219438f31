import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import { TemporaryFolder } from '../../test/temporary-folder.ts'
import { KeyedPseudonyms } from './pseudonym.ts'
import { importSubscribers } from './subscribers.ts'

test('importSubscribers() adds every row of a list that is longer than what is committed together', async () => {
  using folder = new TemporaryFolder()
  await using store = await openEmptyStore()
  const pseudonyms = new KeyedPseudonyms(new Uint8Array(32))
  const rows = 20_001
  const lines = Array.from({ length: rows }, (_, i) => `s${i},BR`)
  writeFileSync(folder.file('list.csv'), ['token,country', ...lines].join('\n'))
  const imported = await importSubscribers(folder.file('list.csv'), store, pseudonyms, (line) =>
    assert.fail(`line ${line}`),
  )
  assert.deepEqual(imported, { rows, bad_rows: 0 })
  const keys = lines.map((_, i) => ({ account: 1, ad: 1, subscriber: pseudonyms.subscriber(`s${i}`) }))
  const threads = await store.read((tables) => tables.threads.read(keys))
  assert.equal(threads.filter(({ listed_country }) => listed_country === 'BR').length, rows)
})

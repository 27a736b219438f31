import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { TemporaryFolder } from '../../../test/temporary-folder.ts'
import { copyDatabase } from './backup.ts'
import { openSqliteStore } from './store.ts'

const MEGABYTES = 20

test('copyDatabase() copies one moment, step by step, though somebody commits after each step', async () => {
  using folder = new TemporaryFolder()
  const [from, draft] = [folder.file('readout.db'), folder.file('draft.db')]
  await using store = openSqliteStore(from)
  const changes = Array.from({ length: MEGABYTES * 50 }, (_, i) => ({
    reason: 'filler',
    change: `${i}`.padEnd(20_000),
  }))
  await store.write(({ setAside }) => setAside.reject(changes, 0))
  using writer = new DatabaseSync(from)
  const insert = writer.prepare("INSERT INTO setting (name, value) VALUES (?, 'late')")
  const steps: number[] = []
  await copyDatabase('back up', from, draft, (pages) => {
    insert.run(`late ${steps.length}`)
    steps.push(pages)
    if (steps.length > MEGABYTES) throw new Error('the copy begins anew again and again')
  })
  assert.ok(steps.length >= MEGABYTES / 4 - 1, `${steps.length} steps`)
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
  )
  using copy = new DatabaseSync(draft, { readOnly: true })
  const count = (table: string, where: string) =>
    copy.prepare(`SELECT COUNT(*) AS rows FROM ${table} WHERE ${where}`).get()?.rows
  assert.deepEqual([count('setting', "value = 'late'"), count('rejected', 'TRUE')], [0, changes.length])
  assert.equal(copy.prepare('PRAGMA journal_mode').get()?.journal_mode, 'delete')
})

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { INTERNAL, LIMITS } from './limits.ts'
import { readPages, TABLE_NAMES } from './reference.ts'

const ROOT = join(import.meta.dirname, '..')

test('reference pages hold what the tables of the code say', () => {
  for (const { file, text, expected } of readPages()) {
    assert.equal(text, expected, `docs/${file} lags behind the code: write its tables anew with: npm run docs`)
  }
})

test('every table stands in some reference page', () => {
  const all = readPages().map(({ text }) => text)
  const missing = TABLE_NAMES.filter((name) => !all.some((text) => text.includes(`<!-- table ${name} -->`)))
  assert.deepEqual(missing, [])
})

test('every limit of the code that someone can run into stands in a table of limits', () => {
  const known = new Set([...INTERNAL, ...Object.values(LIMITS).flatMap((limits) => limits.map(({ name }) => name))])
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'))
  const exported = sources.flatMap((text) =>
    [...text.matchAll(/^export const (\w+_MAX)\b/gm)].map(([, name = '']) => name),
  )
  assert.deepEqual(
    exported.filter((name) => !known.has(name)),
    [],
    'name them in test/limits.ts',
  )
})

test('links between pages lead somewhere', () => {
  const broken: string[] = []
  for (const page of ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: ROOT })]) {
    const text = readFileSync(join(ROOT, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target) || existsSync(join(ROOT, dirname(page), target))) continue
      broken.push(`${page} links to ${target}`)
    }
  }
  assert.deepEqual(broken, [])
})

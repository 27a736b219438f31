import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selectPath } from './json-path.ts'

const VALUE = { id: '1', data: [{ id: '2', tags: ['a', 'b'] }, { id: '3' }], 'a-b': { c: null } }

test('selectPath() names keys, places and all children', () => {
  const rows: [path: string, selected: readonly unknown[] | undefined][] = [
    ['$', [VALUE]],
    ['$.id', ['1']],
    ['$.data.*.id', ['2', '3']],
    ['$.data[*].id', ['2', '3']],
    ['$.data[1].id', ['3']],
    ['$.data.1.id', ['3']],
    ["$['data'][0]['tags'][1]", ['b']],
    ['$.a-b.c', [null]],
    ['$.nope.id', []],
    ['$.data[7]', []],
    ['$.id.x', []],
    ['$.constructor', []],
    ['id', undefined],
    ['$..id', undefined],
    ['$.data[?(@.id)]', undefined],
    ['$.', undefined],
  ]
  for (const [path, selected] of rows) assert.deepEqual(selectPath(VALUE, path), selected, path)
})

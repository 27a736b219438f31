import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CURSOR_PLACE_MAX, formatCursor, formatIdCursor, parseCursor, parseIdCursor } from './cursor.ts'

test('formatCursor() writes the cursors that Meta is seen to write', () => {
  const rows: [place: number, cursor: string][] = [
    [0, 'MAZDZD'],
    [1, 'MQZDZD'],
    [24, 'MjQZD'],
    [199, 'MTk5'],
    [224, 'MjI0'],
  ]
  for (const [place, cursor] of rows) {
    assert.equal(formatCursor({ place, start: undefined }), cursor)
    assert.equal(formatCursor({ place, start: { object: 0, place: 0 } }), cursor)
  }
})

test('parseCursor() undoes formatCursor()', () => {
  const arbitraryPlace = fc.oneof(fc.nat({ max: 1000 }), fc.nat({ max: CURSOR_PLACE_MAX }))
  fc.assert(
    fc.property(arbitraryPlace, fc.option(fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat())), (place, start) => {
      const [object, of] = start ?? []
      const cursor = { place, start: object === undefined ? undefined : { object, place: (of ?? 0) % (place + 1) } }
      assert.deepEqual(parseCursor(formatCursor(cursor)), cursor)
    }),
  )
})

const INVALID = { name: 'GraphError', message: '(#2642) Invalid cursors values' }

test('parseCursor() refuses what formatCursor() never wrote', () => {
  const rubbish = ['', 'x', 'MA', 'MA==', 'QVFIUjRtc', '!!!!', 'MAZDZD ', 'Z', 'ZZZZ', '0', 'ä', '\u0000']
  const encoded = ['', 'rubbish', ' 1', '1 ', '01', '0x10', '1e3', '1_0', String(CURSOR_PLACE_MAX + 1), 'Infinity', '٣']
  const cursors = [...rubbish, ...encoded.map((text) => formatted(text))]
  for (const cursor of cursors) assert.throws(() => parseCursor(cursor), INVALID, cursor)
})

test('parseCursor() refuses what is no place', () => {
  for (const text of ['NaN', '-1', '1.5', '5:1', '5:1:6', '5:0:0', '5:1:x', ':1:1'])
    assert.throws(() => parseCursor(formatted(text)), INVALID, text)
})

/** What `formatCursor` would write if offsets were any text. */
function formatted(text: string): string {
  return Buffer.from(text)
    .toString('base64')
    .replaceAll('Z', 'ZA')
    .replaceAll('+', 'ZB')
    .replaceAll('/', 'ZC')
    .replaceAll('=', 'ZD')
}

test('parseIdCursor() undoes formatIdCursor(), and refuses everything else', () => {
  const arbitraryId = fc.bigInt({ min: 1n, max: 10n ** 20n - 1n }).map(String)
  fc.assert(fc.property(arbitraryId, (id) => parseIdCursor(formatIdCursor(id)) === id))
  for (const cursor of ['', 'x', 'MAZDZD', 'QVFI', 'QVFIMQ==', formatIdCursor('act_1')]) {
    assert.throws(() => parseIdCursor(cursor), INVALID, cursor)
  }
})

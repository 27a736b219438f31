import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CURSOR_OFFSET_MAX, formatCursor, formatIdCursor, parseCursor, parseIdCursor } from './cursor.ts'

test('formatCursor() writes the cursors that Meta is seen to write', () => {
  const rows: [offset: number, cursor: string][] = [
    [0, 'MAZDZD'],
    [1, 'MQZDZD'],
    [24, 'MjQZD'],
    [199, 'MTk5'],
    [224, 'MjI0'],
  ]
  for (const [offset, cursor] of rows) assert.equal(formatCursor(offset), cursor)
})

test('parseCursor() undoes formatCursor()', () => {
  const arbitraryOffset = fc.oneof(fc.nat({ max: 1000 }), fc.nat({ max: CURSOR_OFFSET_MAX }))
  fc.assert(fc.property(arbitraryOffset, (offset) => parseCursor(formatCursor(offset)) === offset))
})

const INVALID = { name: 'GraphError', message: '(#2642) Invalid cursors values' }

test('parseCursor() refuses what formatCursor() never wrote', () => {
  const rubbish = ['', 'x', 'MA', 'MA==', 'QVFIUjRtc', '!!!!', 'MAZDZD ', 'Z', 'ZZZZ', '0', 'ä', '\u0000']
  const encoded = [
    '',
    'rubbish',
    ' 1',
    '1 ',
    '01',
    '0x10',
    '1e3',
    '1_0',
    String(CURSOR_OFFSET_MAX + 1),
    'Infinity',
    '٣',
  ]
  const cursors = [...rubbish, ...encoded.map((text) => formatted(text))]
  for (const cursor of cursors) assert.throws(() => parseCursor(cursor), INVALID, cursor)
})

test('parseCursor() refuses what is no offset', () => {
  for (const text of ['NaN', '-1', '1.5']) assert.throws(() => parseCursor(formatted(text)), INVALID, text)
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

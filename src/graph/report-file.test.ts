import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REPORT_FILES } from './report-file.ts'

const COLUMNS = ['ad_id', 'ad_name', 'marketing_messages_delivered', 'marketing_messages_spend_currency']
const ROW = {
  ad_id: '120210000000000123',
  ad_name: 'a "b",\r\n<c> & \u0000\ud800d',
  marketing_messages_delivered: '27.5',
}

test('REPORT_FILES.csv quotes what has to be', () => {
  const { head, row } = REPORT_FILES.csv
  assert.equal(head(COLUMNS), `${COLUMNS.join(',')}\r\n`)
  assert.equal(row(ROW, COLUMNS), '120210000000000123,"a ""b"",\r\n<c> & \u0000\ud800d",27.5,\r\n')
})

test('REPORT_FILES.xls has metrics for numbers, ids for text, and nothing that XML cannot hold', () => {
  const { head, row, tail } = REPORT_FILES.xls
  assert.match(head(COLUMNS), /^<\?xml version="1\.0"/)
  const cells = [
    '<Cell><Data ss:Type="String">120210000000000123</Data></Cell>',
    '<Cell><Data ss:Type="String">a "b",\r\n&lt;c&gt; &amp; \ufffdd</Data></Cell>',
    '<Cell><Data ss:Type="Number">27.5</Data></Cell>',
    '<Cell/>',
  ]
  assert.equal(row(ROW, COLUMNS), `<Row>${cells.join('')}</Row>\n`)
  const opened = [...`${head(COLUMNS)}${tail}`.matchAll(/<(\w+)[ >]/g)].map(([, name]) => name)
  const closed = [...`${head(COLUMNS)}${tail}`.matchAll(/<\/(\w+)>/g)].map(([, name]) => name)
  assert.deepEqual(opened.toSorted(), closed.toSorted())
})

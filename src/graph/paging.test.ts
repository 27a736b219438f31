import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseCursor } from './cursor.ts'
import { parseInsightsQuery } from './insights-parameters.ts'
import { type PagedRows, seekPage, takePage } from './paging.ts'
import { parseForm, parseParameters } from './parameters.ts'

const BASE_URL = 'https://readout.example'
const PATH = '/v25.0/act_1/insights'

/** The page that a query, or the link of another page, asks for out of so many rows. */
function pageOf(total: number, query: string): Promise<PagedRows<number>> {
  const parameters = parseForm(query)
  return takePage(
    placed(total),
    parseInsightsQuery(parameters).page,
    { base_url: BASE_URL, path: PATH, parameters },
    same,
  )
}

const same = (row: number) => row

function placed(total: number) {
  return Array.from({ length: total }, (_, place) => ({ row: place, place, start: undefined }))
}

async function* oneByOne(total: number) {
  yield* placed(total)
}

function follow(total: number, link: string): Promise<PagedRows<number>> {
  const url = new URL(link)
  assert.equal(url.origin + url.pathname, BASE_URL + PATH)
  return pageOf(total, url.search.slice(1))
}

test('takePage() gives the rows and the cursors of a page', async () => {
  const rows: [claim: string, total: number, query: string, data: number[], links: string][] = [
    ['one row', 1, '', [0], ''],
    ['no rows', 0, '', [], ''],
    ['exactly a page', 3, 'limit=3', [0, 1, 2], ''],
    ['the first of two pages', 5, 'limit=3', [0, 1, 2], 'next'],
    ['after row 2', 5, 'limit=3&after=MgZDZD', [3, 4], 'previous'],
    ['in the middle', 5, 'limit=1&after=MgZDZD', [3], 'next previous'],
    ['before row 2', 5, 'limit=1&before=MgZDZD', [1], 'next previous'],
    ['before row 2, all that is there', 5, 'limit=3&before=MgZDZD', [0, 1], 'next'],
    ['before the first row', 5, 'before=MAZDZD', [], ''],
    ['after the last row', 1, 'after=MAZDZD', [], ''],
    ['after beats before', 5, 'limit=2&after=MAZDZD&before=NAZDZD', [1, 2], 'next previous'],
  ]
  for (const [claim, total, query, data, links] of rows) {
    const page = await pageOf(total, query)
    assert.deepEqual(page.data, data, claim)
    const { cursors, ...linked } = page.paging ?? {}
    assert.equal(Object.keys(linked).join(' '), links, claim)
    const ends = cursors && [parseCursor(cursors.before).place, parseCursor(cursors.after).place]
    assert.deepEqual(ends, data.length === 0 ? undefined : [data.at(0), data.at(-1)], claim)
  }
})

test('takePage() has 25 rows on a page by default', async () => {
  const { data, paging } = await pageOf(60, '')
  assert.equal(data.length, 25)
  assert.equal(paging?.next, `${BASE_URL}${PATH}?limit=25&after=MjQZD`)
})

test('takePage() refuses a cursor whose row is not there', async () => {
  const message = '(#2642) Invalid cursors values'
  await assert.rejects(pageOf(0, 'after=MAZDZD'), { message })
  await assert.rejects(pageOf(1, 'after=MQZDZD'), { message })
  await assert.rejects(pageOf(1, 'before=MQZDZD'), { message })
})

test('takePage() leads through every row once, forwards and back again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 40 }), async (total, limit) => {
      const rows = Array.from({ length: total }, (_, i) => i)
      let page = await pageOf(total, `limit=${limit}`)
      const there = [...page.data]
      for (; page.paging?.next !== undefined; there.push(...page.data)) page = await follow(total, page.paging.next)
      assert.deepEqual(there, rows)
      const back = [...page.data]
      for (; page.paging?.previous !== undefined; back.unshift(...page.data))
        page = await follow(total, page.paging.previous)
      assert.deepEqual(back, rows)
    }),
  )
})

test('takePage() repeats every parameter in its links, and the token of a call that carried it in one', async () => {
  const range = 'time_range=%7B%22since%22%3A%222026-03-01%22%2C%22until%22%3A%222026-03-17%22%7D&'
  const rows: [claim: string, query: string, headers: Record<string, string>, body: string, repeated: string][] = [
    ['token in the query', 'access_token=EAA%2Fb&fields=a,b', {}, '', 'access_token=EAA%2Fb&fields=a%2Cb&'],
    ['token in the header', 'fields=a,b', { authorization: 'Bearer EAAb' }, '', 'fields=a%2Cb&'],
    ['token in the body', '', {}, 'access_token=EAAb', 'access_token=EAAb&'],
    ['the place of this page', 'after=MAZDZD&before=MAZDZD&limit=9', {}, '', ''],
    ['marks of a URL', 'q=a%26b%3Dc%23d+%C3%A4', {}, '', 'q=a%26b%3Dc%23d%20%C3%A4&'],
    ['an object of PHP', 'time_range[since]=2026-03-01&time_range[until]=2026-03-17', {}, '', range],
  ]
  for (const [claim, query, headers, body, repeated] of rows) {
    const request = { method: 'GET', path: PATH, query, headers, body: Buffer.from(body), base_url: BASE_URL }
    const address = { base_url: BASE_URL, path: PATH, parameters: parseParameters(request) }
    const { paging } = await takePage(
      placed(3),
      { limit: 1, after: { place: 0, start: undefined }, before: undefined },
      address,
      same,
    )
    const link = `${BASE_URL}${PATH}?${repeated}limit=1`
    assert.deepEqual([paging?.next, paging?.previous], [`${link}&after=MQZDZD`, `${link}&before=MQZDZD`], claim)
  }
})

test('takePage() links with any text', async () => {
  const parameters = new Map([['q', '\ud800']])
  const page = { limit: 1, after: undefined, before: undefined }
  const { paging } = await takePage(placed(2), page, { base_url: BASE_URL, path: PATH, parameters }, same)
  assert.match(paging?.next ?? '', /q=%EF%BF%BD&/)
})

test('rows that are held, that come one by one and that are sought give the same pages, and refuse the same', async () => {
  const arbitraryPlace = fc.nat(12).map((place) => ({ place, start: undefined }))
  const arbitraryCursor = fc.option(arbitraryPlace, { nil: undefined })
  const page = fc.record({ limit: fc.integer({ min: 1, max: 12 }), after: arbitraryCursor, before: arbitraryCursor })
  await fc.assert(
    fc.asyncProperty(fc.nat(10), page, async (total, asked) => {
      const address = { base_url: BASE_URL, path: PATH, parameters: parseForm('fields=a') }
      const rows = Array.from({ length: total }, (_, i) => i)
      const seek = async (start: number, end: number) => rows.slice(start, end)
      const [held, come, sought] = await Promise.allSettled([
        takePage(placed(total), asked, address, same),
        takePage(oneByOne(total), asked, address, same),
        seekPage(seek, total, asked, address),
      ])
      assert.deepEqual(come, held)
      assert.deepEqual(sought, held)
    }),
  )
})

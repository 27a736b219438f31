import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayOf } from '../src/domain/day.ts'
import { UNFINISHED_REPORTS_MAX } from '../src/graph/reporter.ts'
import { singleIdAd } from '../src/store/admission.ts'
import { RollupCells } from '../src/store/rollup-cells.ts'
import { openDatabase } from './database.ts'
import { TestServer } from './open.ts'

const TODAY = dayOf(Temporal.PlainDate.from('2026-11-20'))
const FIELDS = 'fields=ad_id,ad_name,marketing_messages_delivered,marketing_messages_spend'

type Row = Record<string, string>

interface Answer {
  readonly [key: string]: unknown
  readonly data: readonly Row[]
  readonly paging?: { readonly next?: string }
  readonly error?: { readonly code: number; readonly error_subcode?: number; readonly message: string }
}

interface World {
  readonly ads: number
  readonly days: number
  /** Opened again on the same file. */
  readonly database?: string
  readonly request_limit?: number
}

/** A server with account 1, whose ads each delivered something every day up to yesterday, and an empty account 2. */
async function openWorld({ ads, days, ...config }: World): Promise<TestServer> {
  const server = await TestServer.open(config)
  await server.addAccount('1')
  await server.addAccount('2')
  await server.store.write(async ({ registry, rollups }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    const cells = new RollupCells()
    for (let i = 0; i < ads; i++) {
      const { ad } = await registry.addAd(singleIdAd(String(1000 + i), account, `Ad "${i}", <new>`))
      for (let day = TODAY - days; day < TODAY; day++) {
        const at = { hour: day * 24, region_class: 'c', country: 'US', btn_name: null } as const
        cells.add(account, ad, { ...at, counter: 'delivered', amount: BigInt(1 + ((i + day) % 7)) })
        cells.add(account, ad, { ...at, counter: 'spend_micros', amount: 14_109n })
      }
    }
    await rollups.add(cells)
    await rollups.add(cells.ofAccounts())
  })
  return server
}

function ask(server: TestServer, path: string, query = '', token = 'token1'): Promise<Answer> {
  return askUrl(`${server.url}/v25.0/${path}?access_token=${token}&${query}`)
}

async function askUrl(url: string, init: RequestInit = {}): Promise<Answer> {
  return (await (await fetch(url, init)).json()) as Answer
}

async function order(server: TestServer, id: string, query: string): Promise<string> {
  const { report_run_id } = await askUrl(`${server.url}/v25.0/${id}/insights?access_token=token1`, {
    method: 'POST',
    body: new URLSearchParams(query),
  })
  assert.match(String(report_run_id), /^9\d{17}$/)
  return String(report_run_id)
}

/** Every row, page by page. */
async function askAll(server: TestServer, path: string, query: string): Promise<Row[]> {
  const rows: Row[] = []
  let page = await ask(server, path, query)
  for (;;) {
    assert.equal(page.error, undefined)
    rows.push(...page.data)
    if (page.paging?.next === undefined) return rows
    page = await askUrl(page.paging.next)
  }
}

/** Polls a report until it has ended; what it said of itself on the way. */
async function poll(server: TestServer, run: string): Promise<Answer[]> {
  const told: Answer[] = []
  for (;;) {
    const node = await ask(server, run)
    assert.equal((await ask(server, '1000/insights')).data.length, 1)
    told.push(node)
    if (node.time_completed !== undefined) return told
  }
}

/** The rows that are stored, of all reports. */
async function countRows(server: TestServer, run: string): Promise<number> {
  const known = await server.store.reports.read(run)
  return known === undefined ? 0 : (await server.store.reports.readRows(known.run, 0, 1_000_000)).length
}

test('a report is made of a node with many ads, also where its days are looked for by the deputy', async () => {
  const [ads, days] = [300, 300]
  await using server = await openWorld({ ads: 1, days })
  await server.store.write(async ({ registry }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    const names = { campaign_id: '1000', campaign_name: 'Many', adset_id: '1000', adset_name: 'Many' }
    for (let i = 0; i < ads; i++) await registry.addAd({ account, ad_id: String(5000 + i), ad_name: 'x', ...names })
  })
  const run = await order(server, '1000', `date_preset=maximum&level=campaign&${FIELDS}`)
  const node = (await poll(server, run)).at(-1)
  assert.deepEqual([node?.async_status, node?.date_stop], ['Job Completed', '2026-11-20'])
  assert.equal((await ask(server, `${run}/insights`)).data.length, 1)
})

test('a small report is completed at once, and has the rows of a GET, page by page', async () => {
  await using server = await openWorld({ ads: 7, days: 3 })
  const query = `${FIELDS}&date_preset=last_3d&level=ad&time_increment=1&default_summary=true`
  const run = await order(server, 'act_1', `${query}&limit=2`)
  assert.deepEqual(await ask(server, run), {
    id: run,
    account_id: '1',
    time_ref: 1795176000,
    time_completed: 1795176000,
    async_status: 'Job Completed',
    async_percent_completion: 100,
    date_start: '2026-11-17',
    date_stop: '2026-11-19',
  })
  const rows = await askAll(server, 'act_1/insights', query)
  assert.equal(rows.length, 21)
  for (const limit of [1, 4, 21, 25]) {
    assert.deepEqual(await askAll(server, `${run}/insights`, `limit=${limit}`), rows)
  }
  const [whole, report] = [await ask(server, 'act_1/insights', query), await ask(server, `${run}/insights`)]
  assert.deepEqual([report.data, report.summary], [whole.data, whole.summary])
  assert.ok(report.summary)
  const one = await ask(server, `${run}/insights`, 'limit=1&fields=ad_id')
  assert.deepEqual(one.data, [{ ad_id: '1000', date_start: '2026-11-17', date_stop: '2026-11-17' }])
})

test('a report is asked for in the query, as a form and as JSON, with the errors of a GET', async () => {
  await using server = await openWorld({ ads: 1, days: 3 })
  const url = `${server.url}/v24.0/1000/insights`
  const body = JSON.stringify({
    id: '1000',
    access_token: 'token1',
    fields: 'ad_id',
    time_range: { since: '2026-11-19', until: '2026-11-19' },
  })
  const orders: [url: string, init: RequestInit][] = [
    [`${url}?access_token=token1&fields=ad_id&date_preset=yesterday`, {}],
    [url, { body: new URLSearchParams({ access_token: 'token1', fields: '["ad_id"]', date_preset: 'yesterday' }) }],
    [url, { body, headers: { 'content-type': 'application/json' } }],
  ]
  for (const [target, init] of orders) {
    const { report_run_id } = await askUrl(target, { method: 'POST', ...init })
    const { data } = await ask(server, `${report_run_id}/insights`)
    assert.deepEqual(data, [{ ad_id: '1000', date_start: '2026-11-19', date_stop: '2026-11-19' }])
  }
  for (const wrong of ['fields=nope', 'level=account', 'time_range={since:1}', 'after=rubbish', 'export_format=pdf']) {
    const got = await askUrl(`${url}?access_token=token1&${wrong}`, { method: 'POST' })
    const asked = await askUrl(`${url}?access_token=token1&${wrong}`)
    assert.deepEqual([got.error?.code, got.error?.message], [asked.error?.code, asked.error?.message], wrong)
    assert.ok(got.error)
  }
})

test('a run tells its fields, and refuses those that it never had', async () => {
  await using server = await openWorld({ ads: 1, days: 3 })
  const run = await order(server, '1000', 'fields=ad_id,ad_name&date_preset=last_3d')
  const node = await ask(server, run, 'fields=async_status,is_running,is_async_export,schedule_id')
  assert.deepEqual(node, { async_status: 'Job Completed', is_running: false, is_async_export: 0, id: run })
  assert.equal(
    (await ask(server, run, 'fields=async_status,wishes')).error?.message,
    '(#100) Tried accessing nonexisting field (wishes) on node type (AdReportRun)',
  )
  for (const wrong of ['fields=ad_id,campaign_id', 'summary=campaign_id']) {
    assert.match(
      (await ask(server, `${run}/insights`, wrong)).error?.message ?? '',
      /^\(#100\) Cannot include campaign_id in summary param because they weren't there while creating the report run\. All/,
    )
  }
  assert.equal((await ask(server, `${run}/insights`, 'after=MQZDZD')).error?.code, 2642)
  assert.equal((await ask(server, `${run}/ads`)).error?.code, 2500)
  const nothing = await order(server, '1000', 'fields=ad_id&date_preset=today')
  assert.deepEqual(await ask(server, `${nothing}/insights`), { data: [] })
})

/** More than can be done while the answer to an order waits. */
const LARGE = { ads: 300, days: 365 }
const LARGE_QUERY = `${FIELDS}&date_preset=data_maximum&level=ad&time_increment=1`

test('a large report is made beside the answers, and its percent only rises', async () => {
  await using server = await openWorld(LARGE)
  const run = await order(server, 'act_1', LARGE_QUERY)
  const early = await ask(server, `${run}/insights`)
  assert.deepEqual([early.error?.code, early.error?.error_subcode], [100, 2601])
  assert.match(early.error?.message ?? '', /Job (?:Not Started|Running), \d+ percent are done/)
  const told = await poll(server, run)
  const percents = told.map(({ async_percent_completion }) => Number(async_percent_completion))
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  )
  assert.equal(percents.at(-1), 100)
  assert.ok(new Set(percents).size > 5, `only ${percents}`)
  for (const { async_status, async_percent_completion } of told) {
    assert.equal(async_status === 'Job Completed', async_percent_completion === 100)
  }
  assert.equal(await countRows(server, run), LARGE.ads * LARGE.days)
  const first = await ask(server, `${run}/insights`, 'limit=5000')
  assert.deepEqual(first.data, (await ask(server, 'act_1/insights', `${LARGE_QUERY}&limit=5000`)).data)
  const rows = await askAll(server, `${run}/insights`, 'limit=5000')
  assert.deepEqual([rows.length, rows.at(-1)?.ad_id], [LARGE.ads * LARGE.days, '1299'])
})

test('a report that the server was stopped in is made anew after the next start', async () => {
  await using own = await openDatabase()
  const database = own.name
  let run = ''
  {
    await using server = await openWorld({ ...LARGE, database })
    run = await order(server, 'act_1', LARGE_QUERY)
    assert.notEqual((await ask(server, run)).async_status, 'Job Completed')
  }
  await using server = await TestServer.open({ database })
  const known = await server.store.reports.read(run)
  assert.equal(known?.ended_at, undefined)
  const last = (await poll(server, run)).at(-1)
  assert.deepEqual([last?.async_status, last?.async_percent_completion], ['Job Completed', 100])
  assert.equal(await countRows(server, run), LARGE.ads * LARGE.days)
})

test('an account with too many unfinished reports is asked to come again, and another is not', async () => {
  await using server = await openWorld(LARGE)
  const post = (path: string, token: string) =>
    askUrl(`${server.url}/v25.0/${path}/insights?access_token=${token}&${LARGE_QUERY}`, { method: 'POST' })
  const answers = await Promise.all(Array.from({ length: UNFINISHED_REPORTS_MAX + 10 }, () => post('act_1', 'token1')))
  const refused = answers.filter(({ error }) => error !== undefined)
  assert.ok(refused.length > 0 && refused.length <= 10, `${refused.length} were refused`)
  const [message, code] = ['(#4) Application request limit reached', 4]
  for (const { error } of refused) assert.deepEqual([error?.message, error?.code], [message, code])
  const other = await post('act_2', 'token2')
  assert.ok(other.report_run_id)
})

test('a report lives for thirty days', async () => {
  await using own = await openDatabase()
  const database = own.name
  let run = ''
  {
    await using server = await openWorld({ ads: 2, days: 3, database })
    run = await order(server, 'act_1', 'level=ad')
    server.now = server.now.add({ hours: 30 * 24 }).subtract({ seconds: 1 })
    assert.equal((await ask(server, run)).id, run)
    server.now = server.now.add({ seconds: 1 })
    for (const path of [run, `${run}/insights`]) assert.equal((await ask(server, path)).error?.error_subcode, 33)
    const { error } = await ask(server, run)
    assert.deepEqual(error?.message, (await ask(server, '999')).error?.message.replace('999', run))
    assert.equal(await countRows(server, run), 2)
  }
  const late = Temporal.Instant.from('2026-12-20T12:00:00Z')
  await using server = await TestServer.open({ database, now: () => late })
  while ((await server.store.reports.read(run)) !== undefined) await ask(server, 'act_1')
})

test("another tenant's report is like one that never was", async () => {
  await using server = await openWorld({ ads: 1, days: 3 })
  const run = await order(server, 'act_1', 'export_format=csv')
  const unknown = '900000000000000001'
  for (const edge of ['', '/insights', '/ads']) {
    const told = (await ask(server, `${unknown}${edge}`, '', 'token2')).error?.message
    const { error } = await ask(server, `${run}${edge}`, '', 'token2')
    assert.deepEqual([error?.error_subcode, error?.message], [33, told?.replace(unknown, run)])
  }
  for (const [token, subcode] of Object.entries({ token1: undefined, token2: 33 })) {
    const { status, text } = await download(server, `report_run_id=${run}&access_token=${token}`)
    const error = status === 200 ? undefined : (JSON.parse(text) as Answer).error
    assert.equal(error?.error_subcode, subcode)
  }
  const foreign = await askUrl(`${server.url}/v25.0/1000/insights?access_token=token2`, { method: 'POST' })
  assert.equal(foreign.error?.error_subcode, 33)
})

async function download(server: TestServer, query: string) {
  const response = await fetch(`${server.url}/ads/ads_insights/export_report?${query}`)
  const { status, headers } = response
  return { status, headers, text: await response.text() }
}

test('a download counts as a call, and is a GET', async () => {
  await using server = await openWorld({ ads: 1, days: 1, request_limit: 4 })
  const { report_run_id: run } = await ask(server, 'act_1/insights', 'level=ad&export_format=csv')
  let isMade = false
  while (!isMade) isMade = (await server.store.reports.read(String(run)))?.ended_at !== undefined
  const query = `report_run_id=${run}&access_token=token1`
  const posted = await fetch(`${server.url}/ads/ads_insights/export_report?${query}`, { method: 'POST' })
  assert.equal(posted.status, 400)
  const downloads = [await download(server, query), await download(server, query), await download(server, query)]
  assert.deepEqual(
    downloads.map(({ status, headers }) => [status, headers.get('x-app-usage')?.slice(0, 18)]),
    [
      [200, '{"call_count":75,"'],
      [200, '{"call_count":100,'],
      [400, '{"call_count":100,'],
    ],
  )
  assert.match(downloads[0]?.headers.get('x-business-use-case-usage') ?? '', /^{"1":\[{"type":"ads_insights"/)
  assert.equal((JSON.parse(downloads[2]?.text ?? '') as Answer).error?.code, 17)
})

test('an export is downloaded as a file', async () => {
  await using server = await openWorld({ ads: 1200, days: 1 })
  const query = `level=ad&${FIELDS}&date_preset=yesterday&export_format=csv&export_name=März "1"`
  const { report_run_id: run } = await ask(server, 'act_1/insights', query)
  await poll(server, String(run))
  const node = await ask(server, String(run), 'fields=is_async_export,friendly_name,async_report_url')
  assert.deepEqual([node.is_async_export, node.friendly_name], [1, 'März "1"'])
  const csv = await askText(`${node.async_report_url}&access_token=token1`)
  const lines = csv.text.split('\r\n')
  assert.equal(lines.length, 1202)
  assert.equal(lines[0], 'ad_id,ad_name,marketing_messages_delivered,marketing_messages_spend,date_start,date_stop')
  assert.match(lines[1] ?? '', /^1000,"Ad ""0"", <new>",\d,0\.014109,2026-11-19,2026-11-19$/)
  assert.equal(csv.type, 'text/csv; charset=utf-8')
  assert.equal(csv.disposition, `attachment; filename="M_rz _1_.csv"; filename*=UTF-8''M%C3%A4rz%20%221%22.csv`)
  const xls = await download(server, `report_run_id=${run}&format=xls&name=x&access_token=token1`)
  assert.equal(xls.headers.get('content-type'), 'application/vnd.ms-excel')
  assert.match(xls.headers.get('content-disposition') ?? '', /filename="x\.xls"/)
  const named = await download(server, `report_run_id=${run}&format=xls&name=my report.XLS&access_token=token1`)
  assert.match(named.headers.get('content-disposition') ?? '', /filename="my report\.XLS"; /)
  assert.equal(xls.text.match(/<Row>/g)?.length, 1201)
  assert.match(xls.text, /<Data ss:Type="String">Ad "0", &lt;new&gt;<\/Data><\/Cell><Cell><Data ss:Type="Number">\d</)
})

async function askText(url: string) {
  const response = await fetch(url)
  const { headers } = response
  const [type, disposition] = [headers.get('content-type'), headers.get('content-disposition')]
  return { type, disposition, text: await response.text() }
}

test('an export has the columns that are asked for, and says when it has no rows', async () => {
  await using server = await openWorld({ ads: 1, days: 1 })
  const columns = 'export_format=csv&export_columns=date_start,ad_id'
  const run = await order(server, '1000', `${columns}&date_preset=yesterday`)
  const token = 'access_token=token1'
  assert.equal(
    (await download(server, `report_run_id=${run}&${token}`)).text,
    'date_start,ad_id\r\n2026-11-19,1000\r\n',
  )
  const empty = await order(server, '1000', `${columns}&date_preset=today`)
  for (const format of ['csv', 'xls']) {
    assert.match(
      (await download(server, `report_run_id=${empty}&format=${format}&${token}`)).text,
      /No data available\./,
    )
  }
  const wrong = await ask(server, '1000/insights', `${columns}&fields=ad_name`)
  assert.match(wrong.error?.message ?? '', /^\(#100\) export_columns: ad_id must be among fields: ad_name, date_start/)
  for (const query of [token, `report_run_id=${run}&format=pdf&${token}`, `report_run_id=1&${token}`]) {
    assert.equal((await download(server, query)).status, 400, query)
  }
  assert.equal((await download(server, `report_run_id=${run}`)).status, 400)
})

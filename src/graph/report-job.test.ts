import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../test/database.ts'
import { singleIdAd } from '../store/admission.ts'
import { openStore } from '../store/open.ts'
import { REPORT_LIFE_MS, type ReportRun, removeExpiredReports } from '../store/reports.ts'
import { RollupCells } from '../store/rollup-cells.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import { makeReport, REPORT_BEGUN_MAX } from './report-job.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')
/** Yesterday. */
const HOUR = (Math.floor(NOW_MS / 86_400_000) - 1) * 24
const DELIVERED = { counter: 'delivered', region_class: 'c', country: 'US', btn_name: null, amount: 1n } as const
const ADS = 1500
const RUN_ID = '900000000000000001'

const ORDER = {
  run_id: RUN_ID,
  node_id: 'act_1',
  parameters: { fields: 'ad_id', level: 'ad', date_preset: 'yesterday' },
  days: undefined,
  created_at: NOW_MS,
}

/** A store with an account of many ads and a report of them, and a second connection to it. */
async function openWorld() {
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await openDatabase())
  const writing = parts.use(await openStore(database.name))
  const reading = parts.use(await openStore(database.name))
  await writing.write(async ({ registry, rollups, reports }) => {
    const names = { name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: [] }
    const { account } = await registry.addAccount({ ...names, account_id: '1' })
    await registry.addAccount({ ...names, account_id: '2' })
    const cells = new RollupCells()
    for (let i = 0; i < ADS; i++) {
      const { ad } = await registry.addAd(singleIdAd(`${1000 + i}`, account))
      cells.add(account, ad, { ...DELIVERED, hour: HOUR })
    }
    await rollups.add(cells)
    await rollups.add(cells.ofAccounts())
    await reports.add({ ...ORDER, account })
  })
  const owned = parts.move()
  const { signal } = new AbortController()
  const job = { reading, writing, meta_history_limit: false, now_ms: () => NOW_MS + 5000, signal }
  return { writing, job, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function read({ reports }: Store): Promise<ReportRun> {
  return (await reports.read(RUN_ID)) as ReportRun
}

async function countRows({ reports }: Store): Promise<number> {
  return (await reports.readRows(1, 0, 1_000_000)).length
}

test('makeReport() lets a report end whose end was committed and not told, and counts no beginning that was not', async () => {
  await using world = await openWorld()
  const { writing, job } = world
  const away = new StoreUnavailableError('it went away')
  let isAway = true
  const missing: Store['write'] = async (work, company) => {
    if (!isAway) return writing.write(work, company)
    isAway = false
    throw away
  }
  await assert.rejects(makeReport(await read(writing), { ...job, writing: { ...writing, write: missing } }), away)
  assert.equal((await read(writing)).begun, 0)
  let isTold = true
  const untold: Store['write'] = async (work, company) => {
    const result = await writing.write(work, company)
    if (!isTold || (await read(writing)).ended_at === undefined) return result
    isTold = false
    throw away
  }
  await assert.rejects(makeReport(await read(writing), { ...job, writing: { ...writing, write: untold } }), away)
  const { ended_at, async_status } = await read(writing)
  assert.deepEqual([isTold, ended_at, async_status], [false, NOW_MS + 5000, 'Job Completed'])
})

test('makeReport() leaves a report that is stopped, and makes it anew', async () => {
  await using world = await openWorld()
  const { writing, job } = world
  const stop = new AbortController()
  const write: Store['write'] = async (work) => {
    const result = await writing.write(work)
    // Stopped as soon as the first rows are stored.
    if ((await countRows(writing)) > 0) stop.abort()
    return result
  }
  const stopped = makeReport(await read(writing), { ...job, writing: { ...writing, write }, signal: stop.signal })
  await assert.rejects(stopped, { name: 'AbortError' })
  const left = await read(writing)
  assert.deepEqual([left.async_status, left.begun, left.ended_at], ['Job Not Started', 0, undefined])
  const before = await countRows(writing)
  assert.ok(before > 0 && before < ADS)
  assert.equal(await makeReport(left, job), undefined)
  const made = await read(writing)
  assert.deepEqual([made.async_status, made.async_percent_completion, made.begun], ['Job Completed', 100, 1])
  assert.deepEqual([made.row_count, await countRows(writing), made.ended_at], [ADS, ADS, NOW_MS + 5000])
})

test('makeReport() means the days of when it was asked for, though it is made on another', async () => {
  await using world = await openWorld()
  const { writing, job } = world
  await makeReport(await read(writing), { ...job, now_ms: () => NOW_MS + 86_400_000 })
  const { async_status, row_count } = await read(writing)
  assert.deepEqual([async_status, row_count], ['Job Completed', ADS])
})

test('makeReport() gives up a report that ends the server time after time', async () => {
  await using world = await openWorld()
  const { writing, job } = world
  for (let i = 0; i < REPORT_BEGUN_MAX; i++) await writing.write(({ reports }) => reports.begin(1))
  assert.match(String(await makeReport(await read(writing), job)), /was begun 5 times/)
  const { async_status, failure } = await read(writing)
  assert.deepEqual([async_status, failure?.error_code, failure?.error_subcode], ['Job Failed', -2, 2490547])
  assert.equal(failure?.error_message, 'The report failed inside the server')
})

test('makeReport() fails a report whose campaign has moved to another account', async () => {
  await using world = await openWorld()
  const { writing, job } = world
  await writing.write(async ({ registry, reports }) => {
    await registry.moveCampaign('1000', 2)
    const order = { run_id: '900000000000000002', account: 1, node_id: '1000', parameters: {}, days: undefined }
    await reports.add({ ...order, created_at: NOW_MS })
  })
  const run = (await writing.reports.read('900000000000000002')) as ReportRun
  assert.match(String(await makeReport(run, job)), /has left the account/)
  assert.equal((await writing.reports.read('900000000000000002'))?.async_status, 'Job Failed')
})

test('removeExpiredReports() removes runs with their rows when their life is over, and no earlier', async () => {
  await using world = await openWorld()
  const { writing, job } = world
  await makeReport(await read(writing), job)
  await removeExpiredReports(writing, NOW_MS + REPORT_LIFE_MS - 1, job.signal)
  assert.equal(await countRows(writing), ADS)
  await removeExpiredReports(writing, NOW_MS + REPORT_LIFE_MS, job.signal)
  assert.deepEqual([await countRows(writing), await writing.reports.read(RUN_ID)], [0, undefined])
})

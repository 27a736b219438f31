import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Asked, askDoor, doorOf, NOW, openTenants } from '../../test/tenants.ts'
import { GRAPH_ERRORS } from './error.ts'
import { LANGUAGES, parseLanguage, USER_TEXTS, type UserTextName } from './user-text.ts'

const store = await openTenants()
after(() => store[Symbol.asyncDispose]())

const errorOf = async (url: string, asked: Asked = {}) =>
  JSON.parse((await askDoor(doorOf(store), url, asked)).body).error

test('parseLanguage() reads every form of a locale, and takes English for what it does not know', () => {
  const locales = {
    ko: ['ko', 'ko_KR', 'ko-KR', 'KO_kr', '"ko_KR"'],
    en: ['en_US', 'en', 'de_DE', 'kok_IN', '', 'x', '1'],
  }
  for (const language of LANGUAGES) {
    for (const locale of locales[language]) assert.equal(parseLanguage(locale), language, locale)
  }
  assert.equal(parseLanguage(undefined), 'en')
  assert.equal(parseLanguage(['ko_KR']), 'en')
})

test('USER_TEXTS has each text in each language, once, and none that nobody is told', () => {
  const ofReports: readonly UserTextName[] = ['reportTooLarge', 'reportFailed']
  const told = new Set([...GRAPH_ERRORS.flatMap(({ user }) => user ?? []), ...ofReports])
  for (const language of LANGUAGES) {
    const texts = USER_TEXTS[language]
    assert.deepEqual(new Set(Object.keys(texts)), told)
    const titles = Object.values(texts).map(({ error_user_title }) => error_user_title)
    assert.equal(new Set(titles).size, titles.length)
  }
  for (const { error_user_title, error_user_msg } of Object.values(USER_TEXTS.ko)) {
    assert.match(error_user_title, /[가-힣]다$/)
    assert.match(error_user_msg, /[가-힣]다\.$/)
  }
})

test('answer() tells people in their language, and programs as ever', async () => {
  const rows: [url: string, title: string, asked?: Asked][] = [
    ['/v25.0/99?locale=ko_KR', '요청한 항목을 찾을 수 없습니다'],
    ['/v25.0/99?locale=en_GB', 'Not found'],
    ['/v25.0/99', 'Not found'],
    ['/v25.0/99', '요청한 항목을 찾을 수 없습니다', { body: 'locale=ko-KR' }],
    ['/v25.0/11/insights?date_preset=x&locale=ko', '요청에 올바르지 않은 값이 있습니다'],
    ['/v25.0/11?access_token=x&locale=ko_KR', '액세스 토큰이 유효하지 않습니다'],
    [
      '/v25.0/11?locale=ko_KR',
      '요청에 올바르지 않은 값이 있습니다',
      { body: '[1', headers: { 'content-type': 'application/json' } },
    ],
  ]
  for (const [url, title, asked] of rows) assert.equal((await errorOf(url, asked)).error_user_title, title, url)
  const { error_user_title: _title, error_user_msg: _msg, ...english } = await errorOf('/v25.0/99')
  const { error_user_title: _title_ko, error_user_msg: _msg_ko, ...korean } = await errorOf('/v25.0/99?locale=ko_KR')
  assert.deepEqual(korean, english)
})

test('answer() tells in whatever language is asked why a report failed', async () => {
  const run_ids = ['900000000000000001', '900000000000000002']
  await store.write(async ({ registry, reports }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    const order = { account, node_id: 'act_1', parameters: {}, days: undefined, created_at: NOW.epochMilliseconds }
    for (const run_id of run_ids) await reports.add({ ...order, run_id })
    const [failed, large] = await Promise.all(run_ids.map((run_id) => reports.read(run_id)))
    const ending = (error_code: number, error_subcode: number) => {
      return { ended_at: NOW.epochMilliseconds, failure: { error_code, error_subcode, error_message: 'why' } }
    }
    await reports.end(failed?.run ?? 0, 0, ending(-2, 2490547))
    await reports.end(large?.run ?? 0, 0, ending(-3, 1504045))
  })
  const toldOf = async (locale: string) => {
    const asked = run_ids.map((run_id) => askDoor(doorOf(store), `/${run_id}?locale=${locale}`))
    return (await Promise.all(asked)).map(({ body }) => JSON.parse(body).error_user_title)
  }
  assert.deepEqual(await toldOf('en_US'), ['The report failed', 'The report is too large'])
  assert.deepEqual(await toldOf('ko_KR'), ['보고서를 만들지 못했습니다', '보고서가 너무 큽니다'])
})

test('answer() tells all items of a batch in its language, but for those that name another', async () => {
  const batch = '[{"relative_url":"99"},{"relative_url":"99?locale=en_US"},{"relative_url":"{result=x:$.id}"}]'
  const { body } = await askDoor(doorOf(store), '/?locale=ko_KR', { method: 'POST', body: `batch=${batch}` })
  const titles = (JSON.parse(body) as { body: string }[]).map((item) => JSON.parse(item.body).error.error_user_title)
  assert.deepEqual(titles, ['요청한 항목을 찾을 수 없습니다', 'Not found', '요청에 올바르지 않은 값이 있습니다'])
})

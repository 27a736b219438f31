import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Serving } from './command.ts'
import { KEY_SETTING, openDatabase } from './database.ts'

const SAMPLE =
  '/v25.0/1000000000000101/insights?fields=marketing_messages_delivered,marketing_messages_link_btn_click,marketing_messages_spend,marketing_messages_read_rate,marketing_messages_link_btn_click_rate,marketing_messages_cost_per_link_btn_click,marketing_messages_delivery_rate,marketing_messages_cost_per_delivered&date_preset=data_maximum'

/** Meta's documented sample (contract 5), byte for byte. */
const DOCUMENTED =
  '{"data":[{"marketing_messages_delivered":"2755","marketing_messages_link_btn_click":"268","marketing_messages_spend":"38.87","marketing_messages_read_rate":"79.419238","marketing_messages_link_btn_click_rate":"9.727768","marketing_messages_cost_per_link_btn_click":"0.145037","marketing_messages_delivery_rate":"0","marketing_messages_cost_per_delivered":"0.014109","date_start":"2024-05-01","date_stop":"2025-07-29"}],"paging":{"cursors":{"before":"MAZDZD","after":"MAZDZD"}}}'

const CHANGES_WITHIN_MS = 20_000

async function ask(serving: Serving, path: string): Promise<string> {
  const response = await fetch(`${serving.url}${path}`, { headers: { authorization: 'Bearer demo' } })
  return response.text()
}

test('readout serve --demo answers the documented sample, moves, and loads once', async () => {
  await using database = await openDatabase()
  const args = ['--demo', '--database', database.name]
  const campaign = '/v25.0/1000000000000102/insights?date_preset=maximum'
  let first = ''
  {
    await using serving = await Serving.start(args, KEY_SETTING)
    assert.equal(await ask(serving, SAMPLE), DOCUMENTED)
    first = await ask(serving, campaign)
    assert.match(first, /"marketing_messages_delivered":"[1-9]\d+"/)
    const [, line = ''] = /curl -H 'Authorization: Bearer demo' 'http:\/\/[^/]+([^']+)'/.exec(serving.greeting) ?? []
    assert.match(await ask(serving, line), /"marketing_messages_delivered":"2755"/)

    const live = '/v25.0/1000000000000110/insights?date_preset=today'
    const before = await ask(serving, live)
    const late = Date.now() + CHANGES_WITHIN_MS
    while ((await ask(serving, live)) === before && Date.now() < late) await wait(200)
    assert.notEqual(await ask(serving, live), before)
  }
  {
    await using alone = await Serving.start(['--database', database.name], KEY_SETTING)
    assert.match(await ask(alone, campaign), /"code":190/, 'everybody knows the token: without the demo it is none')
  }
  await using again = await Serving.start(args, KEY_SETTING)
  assert.equal(await ask(again, SAMPLE), DOCUMENTED)
  assert.equal(await ask(again, campaign), first)
})

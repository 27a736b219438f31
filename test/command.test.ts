import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { readout } from './command.ts'
import { ENGINE, KEY_SETTING } from './database.ts'
import { ACCOUNT, factLine, openTerminal } from './terminal.ts'

test('readout import, subscribers, rates, insights and failures work together', async () => {
  await using terminal = await openTerminal()
  const { folder, run } = terminal
  await run(0, ...ACCOUNT, '--page', '9')
  writeFileSync(
    folder.file('facts.ndjson'),
    [
      factLine({ kind: 'sent', timestamp: 1_700_000_000 }),
      factLine({ kind: 'delivered', timestamp: 1_700_000_001_000, country: 'br' }),
      'no JSON',
      factLine({ kind: 'read', timestamp: '2023-11-14T23:30:00+01:00' }),
      factLine({ kind: 'clicked', timestamp: 1_700_000_900, price_micros: 1 }),
      '',
      factLine({ kind: 'failed', timestamp: 1_700_000_900, error_message: 'away, "for now"' }),
      factLine({
        kind: 'delivered',
        timestamp: 1_700_000_003,
        marketing_message_tracking_id: 't2',
        messenger_subscription_token: 'bob',
      }),
    ].join('\n'),
  )
  const first = await run(1, 'import', folder.file('facts.ndjson'))
  assert.match(first.stderr, /facts\.ndjson:3: the line is no JSON\n/)
  assert.match(first.stderr, /facts\.ndjson:5: price_micros is 1: it must be on a sent, delivered or read fact/)
  assert.match(first.stderr, /5 facts of 8 lines in/)

  const fields = 'marketing_messages_delivered,marketing_messages_read,marketing_messages_spend'
  const insights = [
    'insights',
    '500',
    '--fields',
    fields,
    '--since',
    '2023-11-14',
    '--until',
    '2023-11-15',
    '-o',
    'csv',
  ]
  const before = await run(0, ...insights)
  assert.equal(
    before.stdout,
    `marketing_messages_delivered,marketing_messages_read,marketing_messages_spend,date_start,date_stop\n2,1,,2023-11-14,2023-11-15\n`,
  )
  writeFileSync(
    folder.file('rates.csv'),
    'country,price,valid_from\nBR,0.05,2023-01-01\n*,0.04,2023-01-01\nBRA,x,2023-01-01\n',
  )
  const rates = await run(1, 'rates', 'import', folder.file('rates.csv'))
  assert.match(rates.stderr, /rates\.csv:4: country is "BRA"/)
  assert.match((await run(0, ...insights)).stdout, /^2,1,0\.09,/m)
  for (const torn of ['a"b,BR', '"a,BR', '"a"b,BR']) {
    writeFileSync(folder.file('torn.csv'), `token,country\n${torn}\n`)
    const read = await run(1, 'subscribers', 'import', folder.file('torn.csv'))
    assert.match(read.stderr, /^readout: cannot read .*torn\.csv: .*\n$/, torn)
  }
  writeFileSync(folder.file('countries.csv'), 'country,token\nDE,bob\n')
  await run(0, 'subscribers', 'import', folder.file('countries.csv'))
  assert.match((await run(0, ...insights)).stdout, /^1,1,0\.09,/m)

  await run(1, 'import', folder.file('facts.ndjson'))
  assert.match((await run(0, ...insights)).stdout, /^1,1,0\.09,/m)
  const failures = await run(0, 'failures', '500', '-o', 'csv')
  assert.equal(failures.stdout, 'day,failed,error_message\n2023-11-14,1,"away, ""for now"""\n')
  await run(0, 'verify')
})

test('readout import counts a fact whatever line registers its ad', async () => {
  for (const pages of [
    ['8', '9'],
    ['9', '8'],
  ]) {
    await using terminal = await openTerminal()
    const { folder, run } = terminal
    await run(0, ...ACCOUNT, '--page', '9')
    const lines = pages.map((page_id) => {
      const at = { timestamp: '2026-06-30T20:00:00Z', marketing_message_tracking_id: `t${page_id}` }
      return factLine({ kind: 'delivered', page_id, ...at })
    })
    writeFileSync(folder.file('facts.ndjson'), lines.join('\n'))
    const { stderr } = await run(0, 'import', folder.file('facts.ndjson'))
    assert.doesNotMatch(stderr, /waiting for their ads/)
    const asked = ['--date-preset', 'maximum', '--fields', 'marketing_messages_delivered', '-o', 'plain']
    assert.match((await run(0, 'insights', 'act_1', ...asked)).stdout, /^2\t/)
  }
})

test('readout campaign add registers an ad set and an ad under ids of their own', async () => {
  await using terminal = await openTerminal()
  const { run } = terminal
  await run(0, ...ACCOUNT)
  await run(0, ...ACCOUNT.map((word) => (word === 'act_1' ? 'act_2' : word)))
  const add = ['campaign', 'add', '30', '--adset-id', '20', '--ad-id', '10', '--account']
  await run(0, ...add, 'act_1')
  await run(0, ...add, 'act_1', '--name', 'Sale')
  assert.match((await run(0, 'campaign', 'list', '-o', 'csv')).stdout, /^30,act_1,Sale,1$/m)
  assert.match((await run(1, ...add, 'act_2')).stderr, /cannot register 30: the id is known in another account/)
  assert.match((await run(2, 'campaign', 'add', '30', '--account', 'act_1', '--ad-id', 'x')).stderr, /ad is x/)
})

test('readout insights prints rows by level, slice and breakdown', async () => {
  await using terminal = await openTerminal()
  const { folder, run } = terminal
  await run(0, ...ACCOUNT)
  for (const id of ['500', '501']) await run(0, 'campaign', 'add', id, '--account', 'act_1')
  const fact = { kind: 'read', page_id: '9', messenger_subscription_token: 'ann', marketing_message_tracking_id: 't' }
  const facts = ['500', '501'].map((message_id) =>
    JSON.stringify({ ...fact, message_id, timestamp: '2023-11-14T12:00:00Z' }),
  )
  writeFileSync(folder.file('facts.ndjson'), facts.join('\n'))
  await run(0, 'import', folder.file('facts.ndjson'))
  const insights = ['insights', 'act_1', '--since', '2023-11-01', '--until', '2023-11-30', '-o', 'csv']
  const cut = ['--level', 'ad', '--time-increment', 'monthly', '--breakdowns', 'country']
  assert.equal(
    (await run(0, ...insights, ...cut, '--fields', 'ad_id,marketing_messages_read')).stdout,
    'ad_id,marketing_messages_read,date_start,date_stop,country\n' +
      '500,1,2023-11-01,2023-11-30,unknown\n501,1,2023-11-01,2023-11-30,unknown\n',
  )
  assert.match((await run(0, ...insights, '--level', 'ad')).stdout, /^ad_id,ad_name,marketing_messages_sent/)
  assert.match((await run(2, ...insights, '--time-increment', '91')).stderr, /time_increment must be all_days/)
  assert.match((await run(2, ...insights, '--breakdowns', 'age')).stderr, /Allowed choices are country/)
})

test('readout parked says what linking a page to one more account costs', async () => {
  await using terminal = await openTerminal()
  const { folder, run } = terminal
  await run(0, ...ACCOUNT)
  await run(0, ...ACCOUNT.map((word) => (word === 'act_1' ? 'act_2' : word)), '--page', '9')
  await run(0, 'campaign', 'add', '500', '--account', 'act_1')
  const fact = { kind: 'read', page_id: '9', messenger_subscription_token: 'ann', marketing_message_tracking_id: 't' }
  const line = JSON.stringify({ ...fact, message_id: '500', timestamp: '2023-11-14T12:00:00Z' })
  writeFileSync(folder.file('facts.ndjson'), line)
  await run(0, 'import', folder.file('facts.ndjson'))
  const way = 'readout account set act_1 --page 9 (act_2 has it too: new ads of the page then wait to be registered)'
  assert.equal((await run(0, 'parked', '-o', 'plain')).stdout, `500\t9\t1\t${way}\n`)
})

test('readout prints rows as table, JSON, CSV and plain', async () => {
  await using terminal = await openTerminal()
  const { run } = terminal
  await run(0, ...ACCOUNT)
  assert.equal(
    (await run(0, 'account', 'list')).stdout,
    'Account  Name  Currency  Time zone     Pages\nact_1    One   EUR       Europe/Paris\n',
  )
  assert.deepEqual(JSON.parse((await run(0, 'account', 'list', '-o', 'json')).stdout), [
    { account_id: 'act_1', name: 'One', currency: 'EUR', time_zone: 'Europe/Paris', page_ids: '' },
  ])
  assert.equal((await run(0, 'account', 'list', '-o', 'plain')).stdout, 'act_1\tOne\tEUR\tEurope/Paris\t\n')
})

test('readout token prints the token alone, and takes it away', async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT)
  const token = (await run(0, 'token', 'create', '--account', 'act_1', '--permission', 'read')).stdout.trim()
  assert.match(token, /^readout_[\w-]{43}$/)
  await run(0, 'insights', 'act_1', '--token', token)
  const listed = (await run(0, 'token', 'list', '-o', 'plain')).stdout
  assert.ok(!listed.includes(token) && /^[0-9a-f]{12}\tread\tact_1\t/.test(listed), listed)
  if (ENGINE === 'sqlite') assert.ok(!readFileSync(database.name).includes(token))
  await run(0, 'token', 'revoke', token)
  await run(4, 'insights', 'act_1', '--token', token)
})

test('readout token create --expires takes a day or a time from now, and the token is refused when it is over', async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT)
  const create = ['token', 'create', '--account', 'act_1', '--permission', 'read', '--expires']
  for (const when of ['2020-01-01', '2027-02-30', '0d', '90', 'soon']) {
    assert.match((await run(2, ...create, when)).stderr, /expires is .* a day to come/)
  }
  await run(0, ...create, '2099-01-31')
  const token = (await run(0, ...create, '90d')).stdout.trim()
  await run(0, 'insights', 'act_1', '--token', token)
  const [day, days] = JSON.parse((await run(0, 'token', 'list', '-o', 'json')).stdout)
  assert.equal(day.expires_at, '2099-01-31T00:00:00.000Z')
  assert.equal(Date.parse(days.expires_at) - Date.parse(days.created_at), 90 * 86_400_000)
  await database.exec('UPDATE token SET expires_at = created_at')
  assert.match((await run(4, 'insights', 'act_1', '--token', token)).stderr, /the token has expired/)
})

test('readout campaign move and account set resolve everything anew', async () => {
  await using terminal = await openTerminal()
  const { folder, run } = terminal
  await run(0, ...ACCOUNT, '--page', '9')
  await run(0, 'account', 'add', 'act_2', '--name', 'Two', '--currency', 'USD', '--time-zone', 'Pacific/Kiritimati')
  writeFileSync(folder.file('facts.ndjson'), factLine({ kind: 'read', timestamp: '2026-06-30T20:00:00Z' }))
  await run(0, 'import', folder.file('facts.ndjson'))
  const insights = (id: string) =>
    run(
      0,
      'insights',
      id,
      '--fields',
      'account_id,marketing_messages_read',
      '--date-preset',
      'data_maximum',
      '-o',
      'plain',
    )
  assert.equal((await insights('500')).stdout, '1\t1\t2026-06-30\t2026-06-30\n')
  const refused = await run(1, 'campaign', 'move', '500', '--to', 'act_2')
  assert.match(refused.stderr, /link them with: readout account set act_2 --page 9$/m)
  await run(0, 'account', 'set', 'act_2', '--page', '9')
  await run(0, 'campaign', 'move', '500', '--to', 'act_2')
  assert.equal((await insights('500')).stdout, '2\t1\t2026-07-01\t2026-07-01\n')
  assert.equal((await insights('act_2')).stdout, '2\t1\t2026-07-01\t2026-07-01\n')
  assert.equal((await insights('act_1')).stdout, '')
  const changed = await run(0, 'account', 'set', 'act_2', '--time-zone', 'UTC', '--currency', 'eur')
  assert.match(changed.stderr, /amounts are not converted: the numbers stay, and are told in EUR\n$/)
  assert.equal((await insights('act_2')).stdout, '2\t1\t2026-06-30\t2026-06-30\n')
  await run(0, 'verify')
})

test('readout verify exits 1 for a tampered rollup, and 0 after readout rebuild', async () => {
  await using terminal = await openTerminal()
  const { folder, database, run } = terminal
  await run(0, ...ACCOUNT, '--page', '9')
  writeFileSync(folder.file('facts.ndjson'), factLine({ kind: 'read', timestamp: '2026-06-30T20:00:00Z' }))
  await run(0, 'import', folder.file('facts.ndjson'))
  await database.exec('UPDATE rollup SET read_c = 7 WHERE ad = 0')
  const verified = await run(1, 'verify', '-o', 'plain')
  assert.equal(verified.stdout, 'act_1\t2026-06-30\trollup\tread_c\t7\t1\n')
  await run(0, 'rebuild')
  assert.equal((await run(0, 'verify')).stdout, '')
  assert.equal((await run(0, 'verify', '-o', 'json')).stdout, '[]\n')
})

test('readout forget keeps the counts, leaves no hash, and refuses late facts', async () => {
  await using terminal = await openTerminal()
  const { folder, run } = terminal
  await run(0, ...ACCOUNT, '--page', '9')
  writeFileSync(folder.file('facts.ndjson'), factLine({ kind: 'sent', timestamp: '2026-06-30T20:00:00Z' }))
  await run(0, 'import', folder.file('facts.ndjson'))
  await run(0, 'forget', 'ann')
  writeFileSync(folder.file('late.ndjson'), factLine({ kind: 'read', timestamp: '2026-06-30T21:00:00Z' }))
  assert.match(
    (await run(0, 'import', folder.file('late.ndjson'))).stderr,
    /refused because the person was forgotten: 1 fact$/m,
  )
  const insights = await run(
    0,
    'insights',
    '500',
    '--fields',
    'marketing_messages_sent,marketing_messages_read',
    '--date-preset',
    'maximum',
    '-o',
    'plain',
  )
  assert.match(insights.stdout, /^1\t0\t/)
  await run(0, 'verify')
})

test('readout rejected retry works on the database that it is given, wherever the flag stands', async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT)
  const flag = ['--database', database.name]
  for (const args of [
    ['rejected', 'retry', ...flag],
    ['rejected', ...flag, 'retry'],
  ]) {
    assert.match((await readout(args, KEY_SETTING)).stderr, /0 changes counted as facts now; 0 changes still set aside/)
  }
  assert.match((await readout(['rejected', 'wish', ...flag], KEY_SETTING)).stderr, /Allowed choices are retry/)
})

test('readout prints nothing that moves the cursor', async () => {
  await using terminal = await openTerminal()
  const { run } = terminal
  await run(0, ...ACCOUNT)
  await run(0, 'account', 'set', 'act_1', '--name', 'two\nlines \u001b]0;title\u0007')
  assert.equal((await run(0, 'account', 'list')).stdout.split('\n').length, 3)
  assert.ok(!(await run(0, 'account', 'list')).stdout.includes('\u001b'))
})

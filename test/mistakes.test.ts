import assert from 'node:assert/strict'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readout } from './command.ts'
import { holdWriting, ON_SQLITE } from './database.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import { ACCOUNT, factLine, openTerminal } from './terminal.ts'

/** What goes wrong at the terminal: how the command ends and what it says. */
const MISTAKES: [args: string[], code: number, stderr: RegExp][] = [
  [[...ACCOUNT], 1, /cannot add account act_1: it is there already; change it with: readout account set act_1/],
  [
    ['account', 'add', 'one', '--name', 'x', '--currency', 'USD', '--time-zone', 'UTC'],
    2,
    /it must be act_ and digits/,
  ],
  [
    ['account', 'set', 'act_1', '--time-zone', 'Mars/Olympus'],
    2,
    /time zone is Mars\/Olympus: it must be an IANA name/,
  ],
  [['account', 'set', 'act_1', '--currency', 'EURO'], 2, /currency is EURO/],
  [['account', 'add', 'act_2', '--name', ' ', '--currency', 'USD', '--time-zone', 'UTC'], 2, /name is " ": it must be/],
  [['account', 'set', 'act_1'], 2, /nothing to change of act_1/],
  [['account', 'set', 'act_1', '--page', '9', '--remove-page', '9'], 2, /page 9 is to be linked and unlinked/],
  [['account', 'set', 'act_1', '--remove-page', '9'], 1, /page 9 is not linked to act_1/],
  [['account', 'set', 'act_7', '--name', 'x'], 1, /there is none; see: readout account list/],
  [['campaign', 'add', '5', '--account', 'act_7'], 1, /there is no account act_7; see: readout account list/],
  [['campaign', 'move', '5', '--to', 'act_1'], 1, /there is no campaign 5; see: readout campaign list/],
  [['insights', '5'], 1, /there is no account, campaign, ad set or ad 5/],
  [['insights', 'act_1', '--token', 'nobody'], 4, /the token is unknown here/],
  [['failures', 'act_1', '--token', 'nobody'], 4, /the token is unknown here/],
  [['backup', ''], 2, /the name of the backup is empty/],
  [['insights', 'act_1', '--since', '2026-01-01'], 2, /--since and --until go together/],
  [
    ['insights', 'act_1', '--since', '2026-02-30', '--until', '2026-03-01'],
    2,
    /--since is 2026-02-30: there is no such/,
  ],
  [['insights', 'act_1', '--since', '2026-03-05', '--until', '2026-03-01'], 2, /--since is 2026-03-05, after --until/],
  [
    ['insights', 'act_1', '--fields', 'wishes'],
    2,
    /wishes is not valid for fields param.*see: readout insights --help/s,
  ],
  [
    ['insights', 'act_1', '--since', '1000-01-01', '--until', '2026-01-01', '--time-increment', '1'],
    2,
    /more than 5000 slices, name a shorter one \(see: readout insights --help\)/,
  ],
  [['insights', 'act_7'], 1, /there is no account, campaign, ad set or ad act_7; see: readout account list/],
  [['token', 'revoke', 'nothing'], 4, /there is no such token; see: readout token list/],
  [['import', 'nowhere.ndjson'], 1, /cannot import nowhere\.ndjson: there is no such file/],
  [['serve', '--demo', '--host', '0.0.0.0'], 2, /--demo has a token that everybody knows/],
  [['serve', '--demo', '--public-url', 'https://example.com'], 2, /--demo has a token that everybody knows/],
  [['serve', '--app-secret', ','], 2, /--app-secret, or READOUT_APP_SECRET, is empty/],
  [['serve', '--require-appsecret-proof'], 2, /needs the secret that proofs are made with: add --app-secret/],
  [['serve', '--verify-token', ''], 2, /It is empty: give a value, or leave it out/],
  [['serve', '--host', ''], 2, /It is empty: give a value, or leave it out/],
  [['serve', '--public-url', 'https://example.com/a?b=c'], 2, /It must be a URL .*, without \? and #/],
  [['serve', '--port', '80800'], 2, /It must be a port.*see: readout serve --help/s],
  [['move', '--to', 'x'], 2, /see: readout move --help/],
  [['wish'], 2, /unknown command 'wish'/],
]

test('readout names the act, the value and the way out of a mistake', async () => {
  await using terminal = await openTerminal()
  const { run } = terminal
  await run(0, ...ACCOUNT)
  const ends = await Promise.all(MISTAKES.map(([args, code]) => run(code, ...args)))
  for (const [i, [args, , stderr]] of MISTAKES.entries()) {
    assert.match(ends[i]?.stderr ?? '', stderr, args.join(' '))
    assert.equal(ends[i]?.stdout, '', args.join(' '))
  }
})

test('readout takes files as other programs write them, and refuses those that lost something', async () => {
  await using terminal = await openTerminal()
  const { folder, run } = terminal
  await run(0, ...ACCOUNT, '--page', '9')
  const [facts, table] = [folder.file('facts.ndjson'), folder.file('table.csv')]
  writeFileSync(facts, `\ufeff${factLine({ kind: 'sent', timestamp: '2026-06-30T20:00:00Z' })}\r\n`)
  assert.match((await run(0, 'import', facts)).stderr, /^1 fact of 1 line/m)
  writeFileSync(table, '\ufefftoken,country\r\n"ann",BR\r\n')
  assert.match((await run(0, 'subscribers', 'import', table)).stderr, /^1 row imported/m)
  writeFileSync(table, Buffer.from('token,country\nM\u00fcller,BR\n', 'latin1'))
  assert.match((await run(1, 'subscribers', 'import', table)).stderr, /:2: token must be a text .* in UTF-8/)
  writeFileSync(table, '')
  assert.match(
    (await run(1, 'subscribers', 'import', table)).stderr,
    /it is empty; its first line must be token,country/,
  )
  assert.match((await run(1, 'import', folder.path)).stderr, /it is not a file/)
  const many = Array.from({ length: 20_000 }, (_, i) => `token${i},BR`).join('\n')
  writeFileSync(table, `token,country\n${many}\none,two,three\nlast,CL\n`)
  const { stderr } = await run(1, 'subscribers', 'import', table)
  assert.match(
    stderr,
    /^readout: cannot read .*: line \d+ has another number of cells than the first.*; the \d+ rows before it are added$/m,
  )
})

test('readout waits for a database that another program holds, and says so when it gives up', async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT)
  await using _holding = await holdWriting(database.name)
  const refused = await run(1, 'campaign', 'add', '5', '--account', 'act_1')
  assert.match(
    refused.stderr,
    /^readout: cannot (?:write|use) the database .*: another \w+ holds it, and does not let go; try again/,
  )
})

test('readout begins a database only where one is asked for', ON_SQLITE, async () => {
  using folder = new TemporaryFolder()
  const database = folder.file('readout.db')
  assert.match((await readout(['status', '--database', database])).stderr, /there is no database .*: name it with/)
  const foreign = new DatabaseSync(database)
  foreign.exec('CREATE TABLE theirs (x)')
  foreign.close()
  const args = ['status', '--database', database, '--hash-key', 'ab'.repeat(32)]
  assert.match((await readout(args)).stderr, /it is another program's; name another with --database/)
  await readout(['import', folder.file('nowhere.ndjson'), '--database', folder.file('new.db')])
  assert.deepEqual([existsSync(folder.file('new.db')), existsSync(folder.file('new.db.key'))], [false, false])
  writeFileSync(folder.file('odd.db.key'), `${'ab'.repeat(32)}c and more`)
  assert.match((await readout([...ACCOUNT, '--database', folder.file('odd.db')])).stderr, /it must hold 64 hex digits/)
  for (const name of [':memory:', 'file:x.db', 'mysql://u@host/db']) {
    assert.match((await readout(['status', '--database', name])).stderr, /It must be the path of a file/)
  }
  const { stderr } = await readout(['status', '--database', 'postgres://u:geheim@host/db'])
  assert.match(stderr, /^readout: cannot open postgres:\/\/u@host\/db: .* set READOUT_HASH_KEY/)
  const malformed = await readout(['status', '--database', 'postgres://u:geheim@[host'])
  assert.match(malformed.stderr, /^readout: --database, .* must be a URL as postgres:/)
  assert.ok(!malformed.stderr.includes('geheim'))
})

test('readout says what is wrong with a database that it cannot open', ON_SQLITE, async () => {
  using folder = new TemporaryFolder()
  const database = folder.file('readout.db')
  writeFileSync(database, 'this is no database, but a text of more than a hundred bytes '.repeat(20))
  writeFileSync(`${database}.key`, 'ab'.repeat(32))
  const text = await readout(['account', 'list', '--database', database])
  assert.match(text.stderr, /^readout: cannot open the database .*: it is no database; name another with --database\n$/)
  rmSync(database)
  await readout([...ACCOUNT, '--database', database])
  const newer = new DatabaseSync(database)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  const ended = await readout(['account', 'list', '--database', database])
  assert.match(ended.stderr, /it is of version 99, this Readout knows up to \d+; install a newer Readout/)
  chmodSync(database, 0o600)
})

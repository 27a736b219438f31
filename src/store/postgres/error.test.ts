import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { DatabaseError, StoreUnavailableError } from '../store.ts'
import { describePostgres, openingError, statementError } from './error.ts'

const URL = 'postgres://ann:geheim@db.example:5433/ledger?password=geheim&sslmode=verify-full'

test('describePostgres() names where a database is, and no password', () => {
  assert.equal(describePostgres(URL), 'postgres://ann@db.example:5433/ledger')
  assert.equal(describePostgres('postgres:///ledger?host=/tmp'), 'postgres:///ledger')
})

test('statementError() tells what passes from what does not, by its code', () => {
  const passing = ['57P01', '53300', '53100', '40P01', '40001', '25006', '55P03', '57014', '08006', '25P02']
  const staying = ['23505', '42P01', '22021', '28P01', '42501', '08P01', 'XX000']
  for (const code of passing) {
    const error = statementError(URL, serverError(code))
    assert.ok(error instanceof StoreUnavailableError && !error.message.includes('geheim'), code)
  }
  for (const code of staying)
    assert.ok(!(statementError(URL, serverError(code)) instanceof StoreUnavailableError), code)
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
  assert.ok(statementError(URL, refused) instanceof StoreUnavailableError)
  assert.ok(statementError(URL, new Error('Connection terminated unexpectedly')) instanceof StoreUnavailableError)
  const uncommitted = new pg.DatabaseError(
    'could not commit transaction for shard 102008 on at least one node',
    0,
    'error',
  )
  const onWorker = statementError(URL, Object.assign(uncommitted, { code: 'XX000' }))
  assert.match(String(onWorker), /StoreUnavailableError: .*one of its workers could not commit/)
  const mistake = new TypeError('a mistake of ours')
  assert.equal(statementError(URL, mistake), mistake)
})

test('openingError() names the database, what is wrong and the way out', () => {
  const error = openingError(URL, serverError('3D000')) as Error
  assert.ok(error instanceof DatabaseError)
  assert.equal(
    error.message,
    'cannot open the database postgres://ann@db.example:5433/ledger: there is no such database; make it with: createdb NAME',
  )
  assert.match(
    (openingError(URL, serverError('08P01')) as Error).message,
    /: no; name PostgreSQL itself with --database/,
  )
  assert.match((openingError(URL, statementError(URL, serverError('57P03'))) as Error).message, /: it is shutting down/)
})

function serverError(code: string): Error {
  return Object.assign(new pg.DatabaseError('no', 0, 'error'), { code })
}

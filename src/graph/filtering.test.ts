import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphError } from './error.ts'
import { OPERATORS, type Operator, parseFiltering, passesMetrics, passesNode } from './filtering.ts'

/** Of 9, 10, 11, 20 and 21: which pass. */
const NUMBERS: Readonly<Partial<Record<Operator, readonly [value: unknown, passing: readonly string[]]>>> = {
  EQUAL: ['10', ['10']],
  NOT_EQUAL: ['10', ['9', '11', '20', '21']],
  GREATER_THAN: ['10', ['11', '20', '21']],
  GREATER_THAN_OR_EQUAL: ['10', ['10', '11', '20', '21']],
  LESS_THAN: ['20', ['9', '10', '11']],
  LESS_THAN_OR_EQUAL: ['20', ['9', '10', '11', '20']],
  IN_RANGE: [
    ['10', '20'],
    ['10', '11', '20'],
  ],
  NOT_IN_RANGE: [
    ['10', '20'],
    ['9', '21'],
  ],
  IN: [
    ['10', '21'],
    ['10', '21'],
  ],
  NOT_IN: [
    ['10', '21'],
    ['9', '11', '20'],
  ],
}

/** Of these names: which pass. */
const NAMES = ['Spring sale', 'Summer sale', 'Sale', 'Autumn']
const TEXTS: Readonly<Partial<Record<Operator, readonly [value: unknown, passing: readonly string[]]>>> = {
  EQUAL: ['SALE', ['Sale']],
  NOT_EQUAL: ['SALE', ['Spring sale', 'Summer sale', 'Autumn']],
  IN: [
    ['sale', 'autumn'],
    ['Sale', 'Autumn'],
  ],
  NOT_IN: [
    ['sale', 'autumn'],
    ['Spring sale', 'Summer sale'],
  ],
  ANY: [
    ['sale', 'autumn'],
    ['Sale', 'Autumn'],
  ],
  NONE: [
    ['sale', 'autumn'],
    ['Spring sale', 'Summer sale'],
  ],
  CONTAIN: ['sale', ['Spring sale', 'Summer sale', 'Sale']],
  NOT_CONTAIN: ['sale', ['Autumn']],
  CONTAINS_ANY: [
    ['spring', 'autumn'],
    ['Spring sale', 'Autumn'],
  ],
  CONTAINS_ALL: [['sale', 'spring'], ['Spring sale']],
  NOT_CONTAINS_ANY: [
    ['spring', 'autumn'],
    ['Summer sale', 'Sale'],
  ],
  STARTS_WITH: ['s', ['Spring sale', 'Summer sale', 'Sale']],
  ENDS_WITH: ['sale', ['Spring sale', 'Summer sale', 'Sale']],
}

function filterOf(field: string, operator: string, value: unknown) {
  return parseFiltering(JSON.stringify([{ field, operator, value }]))
}

test('each operator holds a number against its values, and one that is theirs', () => {
  const field = 'marketing_messages_read'
  for (const operator of OPERATORS) {
    const row = NUMBERS[operator]
    if (row === undefined) assert.throws(() => filterOf(field, operator, ['1']), GraphError, operator)
    else {
      const filters = filterOf(field, operator, row[0])
      const passing = ['9', '10', '11', '20', '21'].filter((number) => passesMetrics(filters, () => number))
      assert.deepEqual(passing, row[1], operator)
      assert.equal(
        passesMetrics(filters, () => undefined),
        false,
        `${operator} of nothing`,
      )
    }
  }
})

test('each operator holds a name against its values, in any case', () => {
  for (const operator of OPERATORS) {
    const row = TEXTS[operator]
    if (row === undefined) assert.throws(() => filterOf('ad.name', operator, ['1', '2']), GraphError, operator)
    else {
      const filters = filterOf('ad.name', operator, row[0])
      const passing = NAMES.filter((ad_name) => passesNode(filters, { ad_name }, 'ACTIVE'))
      assert.deepEqual(passing, row[1], operator)
    }
  }
})

test('the currency is no number that rows are filtered by', () => {
  assert.throws(() => filterOf('marketing_messages_spend_currency', 'EQUAL', '1'), /is no number/)
})

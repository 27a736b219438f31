import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import type { EdgeCondition, EdgeListing } from './edges.ts'
import type { Level } from './registry.ts'

const store = await openEmptyStore()
after(() => store[Symbol.asyncDispose]())

/** Account 1 has campaign 10 with ad sets 20 and 21, of ads 30 and 31, and 32; account 2 has campaign 11. */
const ADS = [
  ['1', '10', '20', '30', 1000],
  ['1', '10', '20', '31', 2000],
  ['1', '10', '21', '32', undefined],
  ['1', '12', '12', '12', 9000],
  ['2', '11', '11', '11', 1000],
] as const

const accounts = await store.write(async ({ registry }) => {
  const numbers = new Map<string, number>()
  for (const account_id of ['1', '2']) {
    const names = { account_id, name: `Account ${account_id}`, currency: 'USD', time_zone: 'UTC', page_ids: [] }
    numbers.set(account_id, (await registry.addAccount(names)).account)
  }
  for (const [account_id, campaign_id, adset_id, ad_id, at] of ADS) {
    const names = { ad_name: `Ad ${ad_id}`, adset_name: 'Set', campaign_name: `Campaign ${campaign_id}` }
    const account = numbers.get(account_id) ?? 0
    await registry.addAd({ account, campaign_id, adset_id, ad_id, ...names }, at)
  }
  await registry.setCampaign('12', { status: 'DELETED', updated_at: 9500 })
  return numbers
})

const all = { limit: 100 }

function under(level: Level, id: string, ...conditions: EdgeCondition[]): EdgeListing {
  const parent = id === 'user' ? 'user' : id.length === 1 ? 'account' : id < '20' ? 'campaign' : 'adset'
  const numbers = new Set([accounts.get('1') ?? 0])
  return { level, conditions, parent: parent === 'user' ? { level: parent, accounts: numbers } : { level: parent, id } }
}

test('listIds() lists what lies under a node, on every level', async () => {
  const rows: [listing: EdgeListing, ids: string[]][] = [
    [under('account', 'user'), ['1']],
    [under('campaign', '1'), ['10', '12']],
    [under('campaign', '2'), ['11']],
    [under('adset', '1'), ['12', '20', '21']],
    [under('adset', '10'), ['20', '21']],
    [under('ad', '1'), ['12', '30', '31', '32']],
    [under('ad', '10'), ['30', '31', '32']],
    [under('ad', '20'), ['30', '31']],
  ]
  for (const [listing, ids] of rows) {
    assert.deepEqual(await store.edges.listIds(listing, all), ids)
    assert.equal(await store.edges.countIds(listing), ids.length)
  }
})

test('listIds() gives a page after one id, or before one', async () => {
  const ads = under('ad', '1')
  assert.deepEqual(await store.edges.listIds(ads, { limit: 2 }), ['12', '30'])
  assert.deepEqual(await store.edges.listIds(ads, { limit: 2, after: '30' }), ['31', '32'])
  assert.deepEqual(await store.edges.listIds(ads, { limit: 2, before: '32' }), ['30', '31'])
  assert.deepEqual(await store.edges.listIds(ads, { limit: 2, after: '30', before: '30' }), ['31', '32'])
})

test('listIds() lists what meets every condition', async () => {
  const met = async (...conditions: EdgeCondition[]) => store.edges.listIds(under('ad', '1', ...conditions), all)
  assert.deepEqual(await met({ field: 'status', operator: 'NOT_IN', values: ['DELETED'] }), ['30', '31', '32'])
  assert.deepEqual(await met({ field: 'status', operator: 'IN', values: ['DELETED', 'PAUSED'] }), ['12'])
  assert.deepEqual(await met({ field: 'id', operator: 'IN', values: ['31', '11'] }), ['31'])
  assert.deepEqual(await met({ field: 'adset_id', operator: 'IN', values: ['20'] }), ['30', '31'])
  assert.deepEqual(await met({ field: 'name', operator: 'CONTAIN', values: ['AD 3'] }), ['30', '31', '32'])
  assert.deepEqual(await met({ field: 'name', operator: 'STARTS_WITH', values: ['d'] }), [])
  assert.deepEqual(await met({ field: 'updated_at', operator: 'GREATER_THAN', values: [9400] }), ['12'])
  assert.deepEqual(await met({ field: 'updated_at', operator: 'LESS_THAN_OR_EQUAL', values: [2000] }), [
    '30',
    '31',
    '32',
  ])
  const updated = (operator: EdgeCondition['operator'], at: number) =>
    met({ field: 'updated_at', operator, values: [at] }, { field: 'adset_id', operator: 'IN', values: ['20'] })
  // The later of the two ads.
  assert.deepEqual(await updated('GREATER_THAN', 2000), [])
  assert.deepEqual(await updated('GREATER_THAN_OR_EQUAL', 2000), ['30', '31'])
  assert.deepEqual(await updated('LESS_THAN', 2000), [])
  assert.deepEqual(await updated('LESS_THAN_OR_EQUAL', 2000), ['30', '31'])
  assert.deepEqual(
    await met(
      { field: 'id', operator: 'NOT_IN', values: ['30'] },
      { field: 'name', operator: 'NOT_CONTAIN', values: ['2'] },
    ),
    ['31'],
  )
})

test('listIds() compares names in any case, and those of other alphabets as they are written', async () => {
  const names = ['Été 2026', 'ÉTÉ', 'winter', 'Winter']
  await store.write(async ({ registry }) => {
    for (const [i, name] of names.entries()) {
      const id = String(40 + i)
      const above = { campaign_id: '12', campaign_name: '', adset_id: '12', adset_name: '' }
      await registry.addAd({ account: accounts.get('1') ?? 0, ad_id: id, ad_name: name, ...above })
    }
  })
  const named = async (operator: EdgeCondition['operator'], ...values: string[]) => {
    const ids = await store.edges.listIds(under('ad', '12', { field: 'name', operator, values }), all)
    return ids.filter((id) => id !== '12').map((id) => names[Number(id) - 40])
  }
  assert.deepEqual(await named('CONTAIN', 'Été 2026'), ['Été 2026'])
  assert.deepEqual(await named('STARTS_WITH', 'É'), ['Été 2026', 'ÉTÉ'])
  assert.deepEqual(await named('NOT_CONTAIN', 'É'), ['winter', 'Winter'])
  assert.deepEqual(await named('IN', 'WINTER', 'Été 2026'), ['Été 2026', 'winter', 'Winter'])
  assert.deepEqual(await named('NOT_IN', 'WINTER'), ['Été 2026', 'ÉTÉ'])
})

test('readNode() tells what is known of the campaign', async () => {
  const state = { status: 'DELETED', created_at: 9000, updated_at: 9500, details: {} }
  assert.deepEqual((await store.registry.readNode('12', 'ad'))?.campaign, state)
  assert.equal((await store.registry.readNode('12', 'ad'))?.level, 'ad')
  assert.equal((await store.registry.readNode('12'))?.level, 'campaign')
  assert.equal(await store.registry.readNode('30', 'campaign'), undefined)
})

test('readNode() finds what is in the accounts asked', async () => {
  const [one, two] = ['1', '2'].map((account_id) => new Set([accounts.get(account_id) ?? 0]))
  for (const id of ['act_1', '10', '20', '30']) {
    assert.ok(await store.registry.readNode(id, undefined, one), id)
    assert.equal(await store.registry.readNode(id, undefined, two), undefined, id)
  }
})

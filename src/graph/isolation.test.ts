import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  type Asked,
  appendFacts,
  askDoor,
  DELIVERED,
  doorOf,
  openTenants,
  TOKEN,
  WRITE_TOKEN,
} from '../../test/tenants.ts'
import { hashToken } from '../store/tokens.ts'
import { ROUTES } from './route.ts'

const store = await openTenants()
after(() => store[Symbol.asyncDispose]())

const ask = (url: string, asked: Asked = {}, door = doorOf(store)) => askDoor(door, url, asked)

const FIELDS = 'fields=marketing_messages_delivered'

const PLACES: readonly ((id: string) => string)[] = [
  ...ROUTES.filter(({ path }) => path.includes('{id}')).flatMap(({ method, path }) =>
    ['insights', 'ads', 'adaccounts', 'clicks'].map((edge) => (id: string) => {
      return `${method} /v25.0${path.replace('{id}', id).replace('{edge}', edge)}`
    }),
  ),
  (id) => `POST /v25.0/${id}`,
  (id) => `GET /v25.0/?ids=${id}`,
  (id) => `GET /v25.0/?ids=11,${id}`,
  (id) => `GET /v25.0/${id}?fields=nope`,
  (id) => `GET /v25.0/${id}/insights?fields=nope`,
  (id) => `GET /v25.0/${id}/insights?level=x`,
  (id) => `GET /v25.0/act_1/ads?filtering=[{field:"campaign.id",operator:"IN",value:["${id}"]}]`,
  (id) => `POST /v25.0/?batch=[{"method":"GET","relative_url":"${id}"},{"method":"DELETE","relative_url":"${id}"}]`,
]

test("answer() answers another tenant's id like one that never was, byte for byte, wherever it stands", async () => {
  for (const [foreign, unknown] of Object.entries({ '21': '99', act_2: 'act_9' })) {
    for (const token of [TOKEN, WRITE_TOKEN]) {
      for (const place of PLACES) {
        const door = doorOf(store)
        const of = async (id: string) => {
          const [method = '', url = ''] = place(id).split(' ')
          return JSON.stringify(await ask(url, { method, headers: { authorization: `Bearer ${token}` } }, door))
        }
        const told = (await of(unknown)).replaceAll(unknown, foreign)
        assert.deepEqual([await of(foreign), await of(foreign)], [told, told], place(foreign))
      }
    }
  }
})

test('answer() reads what the token names, and nothing after it is revoked', async () => {
  await using own = await openTenants()
  const door = doorOf(own)
  const statusOf = async (id: string, token: string) => {
    return (await ask(`/v25.0/${id}/insights?access_token=${token}`, {}, door)).status
  }
  assert.deepEqual([await statusOf('11', TOKEN), await statusOf('21', TOKEN)], [200, 400])
  assert.deepEqual([await statusOf('11', 'EAA-two'), await statusOf('21', 'EAA-two')], [400, 200])
  await own.write(({ tokens }) => tokens.revoke(hashToken(TOKEN)))
  assert.deepEqual([await statusOf('11', TOKEN), await statusOf('21', 'EAA-two')], [401, 200])
})

test('answer() sees what an administrator and the writer did since the last answer', async () => {
  await using own = await openTenants()
  const door = doorOf(own)
  const read = async () => JSON.parse((await ask(`/v25.0/11/insights?${FIELDS},campaign_name`, {}, door)).body).data[0]
  const before = await read()
  await own.write(async (tables) => {
    await tables.registry.renameCampaign('11', 'Summer')
    await appendFacts(tables, [{ ...DELIVERED, tracking_id: 't2' }])
  })
  const now = await read()
  assert.deepEqual([before.campaign_name, before.marketing_messages_delivered], ['Spring', '1'])
  assert.deepEqual([now.campaign_name, now.marketing_messages_delivered], ['Summer', '2'])
})

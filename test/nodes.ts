import { envelope, ms, TestServer } from './open.ts'

/** The page that account 1 is linked to. */
export const PAGE = '900'

/** The ads of campaign 10. */
export const ADS = Array.from({ length: 1000 }, (_, i) => String(100_000 + i))

/** What campaign 500 has to tell of. */
export const FIELDS = 'fields=marketing_messages_read'
export const ROW = { marketing_messages_read: '1', date_start: '2026-11-20', date_stop: '2026-11-20' }

/**
 * A server with two accounts: 1 has campaign 500, which is one id, and campaign 10 with ad set 20 and 1,000 ads, and may be written
 * to with the token `write1`; 2 has campaign 600.
 */
export async function openNodes(): Promise<TestServer> {
  const server = await TestServer.open()
  await server.addAccount('1', { name: 'One', time_zone: 'America/New_York', page_ids: [PAGE] })
  await server.addAccount('2')
  await server.addToken('write1', '1', 'write')
  await server.addCampaign('600', '2')
  await server.store.write(async ({ registry }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    const names = { campaign_id: '10', campaign_name: 'Many', adset_id: '20', adset_name: 'Set' }
    for (const ad_id of ADS) await registry.addAd({ account, ad_id, ad_name: `Ad ${ad_id}`, ...names })
  })
  await server.post(
    envelope(PAGE, {
      field: 'marketing_message_reads',
      timestamp: ms('2026-11-20T09:00:00Z'),
      page_id: PAGE,
      message_id: '500',
      messenger_subscription_token: 'ann',
      marketing_message_tracking_id: 't1',
    }),
  )
  return server
}

import type { Command } from 'commander'
import { registerAd } from '../store/register-ad.ts'
import { catchUpNow, type Database, databaseCommand } from './database.ts'
import { CliError } from './error.ts'
import { type Column, type OutputMode, outputOption, printRows, say } from './output.ts'
import { findAccount, parseName, parseNodeId } from './values.ts'

const COLUMNS: readonly Column[] = [
  { key: 'campaign_id', label: 'Campaign' },
  { key: 'account_id', label: 'Account' },
  { key: 'name', label: 'Name' },
  { key: 'ads', label: 'Ads' },
]

/** `readout campaign add|list|move`. */
export function addCampaignCommands(program: Command): void {
  const campaign = program.command('campaign').description('campaigns, and the accounts that they belong to')
  databaseCommand(
    campaign,
    'add <id>',
    'register a campaign, or name it; facts that waited for it are counted',
    addCampaign,
  )
    .requiredOption('--account <act_ID>', 'the ad account that it belongs to')
    .option('--name <name>', 'what it is called; its id when left out')
    .option('--adset-id <id>', 'its ad set, where that has an id of its own')
    .option('--ad-id <id>', 'its ad, which webhooks name as message_id, where that has an id of its own')
  databaseCommand(campaign, 'list', 'list the campaigns', listCampaigns).addOption(outputOption())
  databaseCommand(campaign, 'move <id>', 'move a campaign to another account', moveCampaign).requiredOption(
    '--to <act_ID>',
    'the ad account that it belongs to',
  )
}

async function addCampaign(
  database: Database,
  options: { account: string; name?: string; adsetId?: string; adId?: string },
  [id = '']: string[],
): Promise<void> {
  const campaign_id = parseNodeId('campaign', id)
  const campaign_name = options.name === undefined ? undefined : parseName(options.name)
  const adset_id = options.adsetId === undefined ? undefined : parseNodeId('ad set', options.adsetId)
  const ad_id = options.adId === undefined ? undefined : parseNodeId('ad', options.adId)
  const { account, account_id } = await findAccount(database.store, options.account)
  const said = { account, campaign_id, campaign_name, adset_id, ad_id }
  await database.store.write(({ registry }) => registerAd(registry, said, database.now_ms()))
  await catchUpNow(database)
  say(`campaign ${campaign_id} is registered in act_${account_id}`)
  const parked = (await database.store.setAside.listParked()).filter((one) => [campaign_id, ad_id].includes(one.ad_id))
  if (parked.length > 0) say('facts from pages of other accounts still wait for it; see: readout parked')
}

async function listCampaigns({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const campaigns = await store.registry.listCampaigns()
  const rows = campaigns.map((campaign) => ({ ...campaign, account_id: `act_${campaign.account_id}` }))
  printRows(COLUMNS, rows, options.output)
}

async function moveCampaign(database: Database, options: { to: string }, [id = '']: string[]): Promise<void> {
  const campaign_id = parseNodeId('campaign', id)
  const to = await findAccount(database.store, options.to)
  let currency = to.currency
  await database.store.write(async ({ registry, rollups }) => {
    const known = (await registry.listCampaigns()).find((one) => one.campaign_id === campaign_id)
    if (known === undefined) throw new CliError(`there is no campaign ${campaign_id}; see: readout campaign list`)
    const from = await registry.readAccount(known.account_id)
    await registry.moveCampaign(campaign_id, to.account)
    await registry.setCampaign(campaign_id, { updated_at: database.now_ms() })
    currency = from?.currency ?? to.currency
    for (const { account } of [from ?? to, to]) await rollups.sumAccount(account)
  })
  await catchUpNow(database)
  say(`campaign ${campaign_id} is in act_${to.account_id} now`)
  if (currency !== to.currency) {
    say(`prices that its facts named are not converted: the numbers stay, from ${currency} to ${to.currency}`)
  }
}

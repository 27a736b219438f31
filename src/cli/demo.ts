import { parseFactLine } from '../ingest/import-file.ts'
import type { Pseudonyms } from '../ingest/pseudonym.ts'
import { formatSignature } from '../ingest/signature.ts'
import { demoAudience, subscriberList } from '../sandbox/audience.ts'
import { DEMO_ACCOUNT, DEMO_CAMPAIGNS, DEMO_RATES, demoEvents } from '../sandbox/demo.ts'
import { formatImportLine } from '../sandbox/event.ts'
import { LiveCampaign } from '../sandbox/live.ts'
import { Admission, singleIdAd } from '../store/admission.ts'
import { append } from '../store/append.ts'
import { gather } from '../store/gather.ts'
import type { Store, Tables } from '../store/store.ts'
import { hashToken } from '../store/tokens.ts'

/** The read token of the demo account. */
export const DEMO_TOKEN = 'demo'

const TOKEN_HASH = hashToken(DEMO_TOKEN)
const SEED = 1
const SETTING = 'demo_loaded_at'
const POST_EVERY_MS = 1000

/**
 * Loads the demo account, once: its audience and its campaigns are made from a seed, and end now. Starting again on the
 * same file adds nothing. All of it is facts like any others, read as an import reads them.
 */
export async function loadDemo(store: Store, pseudonyms: Pseudonyms, now_ms: number): Promise<void> {
  if ((await store.registry.readSetting(SETTING)) !== undefined) {
    if ((await store.tokens.read(TOKEN_HASH)) === undefined)
      await store.write((tables) => admitEverybody(tables, now_ms))
    return
  }
  const facts = demoEvents(SEED, now_ms).map((event) => parseFactLine(formatImportLine(event), pseudonyms, now_ms))
  const countries = [...subscriberList(demoAudience(SEED))]
  await store.write(async (tables) => {
    // Another server may have loaded it meanwhile.
    if ((await tables.registry.readSetting(SETTING)) !== undefined) return
    await register(tables, now_ms)
    await tables.registry.writeCountries(
      new Map(countries.map(([token, country]) => [pseudonyms.subscriber(token), country])),
    )
    const admission = new Admission()
    await admission.open(tables.registry, now_ms)
    await append(tables, admission, gather(facts))
    await tables.registry.writeSetting(SETTING, String(now_ms))
  })
}

async function register(tables: Tables, now_ms: number): Promise<void> {
  const { registry } = tables
  const { account } = await registry.addAccount(DEMO_ACCOUNT)
  for (const { campaign_id, name } of DEMO_CAMPAIGNS)
    await registry.addAd(singleIdAd(campaign_id, account, name), now_ms)
  await registry.writeRates(account, DEMO_RATES)
  await admitEverybody(tables, now_ms)
}

/** Makes the demo's token, unless it is there: a server without the demo took it away, or another made it meanwhile. */
async function admitEverybody({ registry, tokens }: Tables, now_ms: number): Promise<void> {
  const demo = await registry.readAccount(DEMO_ACCOUNT.account_id)
  if (demo === undefined || (await tokens.read(TOKEN_HASH)) !== undefined) return
  await tokens.add({
    token_hash: TOKEN_HASH,
    permission: 'read',
    accounts: new Set([demo.account]),
    created_at: now_ms,
  })
}

/** Takes the demo's token away, which everybody knows: others than this machine may reach a server without the demo. */
export async function refuseEverybody(store: Store): Promise<void> {
  if ((await store.tokens.read(TOKEN_HASH)) === undefined) return
  await store.write(({ tokens }) => tokens.revoke(TOKEN_HASH))
}

/** Plays the running campaign: posts signed webhooks to a server's own door, until disposed. */
export function playDemo(url: string, app_secret: string, now_ms: () => number): Disposable {
  const campaign = new LiveCampaign({ seed: SEED, start_ms: now_ms() })
  const timer = setInterval(() => {
    for (const body of campaign.next(now_ms())) void post(url, body, app_secret)
  }, POST_EVERY_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** A webhook that is not taken is not sent again: the sandbox is no ledger of its own. */
async function post(url: string, text: string, app_secret: string): Promise<void> {
  const body = Buffer.from(text)
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': formatSignature(body, app_secret) }
  await fetch(`${url}/webhooks/messenger`, { method: 'POST', headers, body }).catch(() => undefined)
}

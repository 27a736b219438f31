import type { Fact } from '../domain/fact.ts'
import type { AdOnPage } from './gather.ts'
import type { AccountContext, AdFields, Placement, Registry } from './registry.ts'

/** What becomes of a fact: it is counted at a place, waits for its ad to be registered, or is refused for good. */
export type Admitted = Placement | 'parked' | 'forgotten'

/**
 * Decides where facts are counted (design 3), and remembers what it read of the registry for as long as the
 * registry stays at its version. One admission serves one writer, batch after batch.
 */
export class Admission {
  #version = -1
  #now_ms = 0
  #forgotten: ReadonlyMap<string, number> = new Map()
  readonly #placements = new Map<string, Placement | undefined>()
  readonly #pageLinks = new Map<string, ReadonlySet<number>>()
  readonly #contexts = new Map<number, AccountContext>()

  /** Starts a transaction: forgets what an administrator has changed since the last one. */
  async open(registry: Registry, now_ms: number): Promise<void> {
    this.#now_ms = now_ms
    const version = await registry.readVersion()
    if (version === this.#version) return
    this.#placements.clear()
    this.#pageLinks.clear()
    this.#contexts.clear()
    this.#forgotten = await registry.readForgotten()
    this.#version = version
  }

  /** Ends a transaction that failed: what it registered is gone again. */
  close(): void {
    this.#version = -1
  }

  /** Where the facts of an ad and page are counted, if nothing has to be read or written to tell; but for who was forgotten. */
  recall({ ad_id, page_id }: AdOnPage): Placement | undefined {
    const placement = this.#placements.get(ad_id)
    const links = this.#pageLinks.get(page_id)
    if (placement === undefined || links === undefined || placement.floor_at !== null) return undefined
    return pageAllows(links, placement.account) && placement.page_ids.has(page_id) ? placement : undefined
  }

  /** Whether somebody may have been forgotten; `admit` knows until when. */
  forgets(subscriber: string): boolean {
    return this.#forgotten.size > 0 && this.#forgotten.has(subscriber)
  }

  async admit(registry: Registry, fact: Fact): Promise<Admitted> {
    if ((this.#forgotten.get(fact.subscriber) ?? 0) > this.#now_ms) return 'forgotten'
    const links = await this.#readPageLinks(registry, fact.page_id)
    const placement = (await this.#readPlacement(registry, fact.ad_id)) ?? (await this.#register(registry, fact, links))
    if (placement === undefined || !pageAllows(links, placement.account)) return 'parked'
    if (!placement.page_ids.has(fact.page_id)) await this.#notePage(registry, fact, placement)
    return placement
  }

  /** What `contextOf` would say, if nothing has to be read for it. */
  recallContext(account: number): AccountContext | undefined {
    return this.#contexts.get(account)
  }

  async contextOf(registry: Registry, account: number): Promise<AccountContext> {
    let context = this.#contexts.get(account)
    if (context === undefined) {
      context = await registry.readContext(account)
      this.#contexts.set(account, context)
    }
    return context
  }

  /** An ad that nobody registered registers itself where its page is linked, if that is exactly one account. */
  async #register(registry: Registry, fact: Fact, links: ReadonlySet<number>): Promise<Placement | undefined> {
    const [account] = links
    if (account === undefined || links.size > 1 || (await isTaken(registry, fact.ad_id, account))) return undefined
    const placement = await registry.addAd(singleIdAd(fact.ad_id, account), this.#now_ms)
    this.#placements.set(fact.ad_id, placement)
    // What is remembered stays true under a version of this transaction's own making; not where another server raised it too.
    const version = await registry.readVersion()
    this.#version = version === this.#version + 1 ? version : -1
    return placement
  }

  async #notePage(registry: Registry, fact: Fact, placement: Placement): Promise<void> {
    await registry.noteAdPage(placement.ad, fact.page_id)
    const page_ids = new Set([...placement.page_ids, fact.page_id])
    this.#placements.set(fact.ad_id, { ...placement, page_ids })
  }

  async #readPlacement(registry: Registry, ad_id: string): Promise<Placement | undefined> {
    if (!this.#placements.has(ad_id)) this.#placements.set(ad_id, await registry.readPlacement(ad_id))
    return this.#placements.get(ad_id)
  }

  async #readPageLinks(registry: Registry, page_id: string): Promise<ReadonlySet<number>> {
    let links = this.#pageLinks.get(page_id)
    if (links === undefined) {
      links = await registry.readPageLinks(page_id)
      this.#pageLinks.set(page_id, links)
    }
    return links
  }
}

/** A campaign known by one id only has that id on all three levels (design 2). */
export function singleIdAd(id: string, account: number, name: string = id): AdFields {
  return {
    account,
    ad_id: id,
    ad_name: name,
    adset_id: id,
    adset_name: name,
    campaign_id: id,
    campaign_name: name,
  }
}

/** A page may name what is a campaign or an ad set of another tenant's, or an ad set of a campaign that has another id. */
async function isTaken(registry: Registry, id: string, account: number): Promise<boolean> {
  const node = await registry.readNode(id)
  if (node === undefined) return false
  if (node.account !== account) return true
  const adset = await registry.readNode(id, 'adset')
  return adset !== undefined && adset.names.campaign_id !== id
}

/** A page that is linked elsewhere, and not here, speaks of another tenant's ads. */
function pageAllows(links: ReadonlySet<number>, account: number): boolean {
  return links.size === 0 || links.has(account)
}

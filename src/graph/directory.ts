import type { Ad, Node } from '../store/registry.ts'
import type { Tables } from '../store/store.ts'
import { hashToken, type Token } from '../store/tokens.ts'

/** Tokens and nodes that are remembered; past it, all are forgotten and read again. */
export const DIRECTORY_ENTRIES_MAX = 20_000

/**
 * Tokens and nodes by what callers name them, remembered for as long as the registry stays at its version. What is
 * not found is not remembered, so that nobody fills it with made-up ids.
 */
export class Directory {
  #version = -1
  readonly #tokens = new Map<string, Token>()
  readonly #nodes = new Map<string, Node>()
  readonly #ads = new Map<number, readonly Ad[]>()

  /** Starts a reading transaction: forgets what has changed since the last one. */
  async open({ registry }: Tables): Promise<void> {
    const version = await registry.readVersion()
    const isFull = this.#tokens.size + this.#nodes.size >= DIRECTORY_ENTRIES_MAX
    if (version === this.#version && !isFull) return
    this.#tokens.clear()
    this.#nodes.clear()
    this.#ads.clear()
    this.#version = version
  }

  async readToken({ tokens }: Tables, text: string): Promise<Token | undefined> {
    const known = this.#tokens.get(text)
    if (known !== undefined) return known
    const token = await tokens.read(hashToken(text))
    if (token !== undefined) this.#tokens.set(text, token)
    return token
  }

  /** The ads of a node, by their account's order. */
  async readAds({ registry }: Tables, { level, account, ads }: Node): Promise<readonly Ad[]> {
    let all = this.#ads.get(account)
    if (all === undefined) {
      all = await registry.listAdsOf(account)
      this.#ads.set(account, all)
    }
    if (level === 'account') return all
    const own = new Set(ads)
    return all.filter(({ ad }) => own.has(ad))
  }

  /** A node of one of these accounts. Another tenant's is looked for as one that nobody knows, though it may be known here. */
  async readNode({ registry }: Tables, id: string, accounts: ReadonlySet<number>): Promise<Node | undefined> {
    const known = this.#nodes.get(id)
    if (known !== undefined && accounts.has(known.account)) return known
    const node = await registry.readNode(id, undefined, accounts)
    if (node !== undefined) this.#nodes.set(id, node)
    return node
  }
}

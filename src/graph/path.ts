import { GraphError, PATH_UNKNOWN } from './error.ts'
import { decode } from './parameters.ts'

/** The versions that clients name (contract 9.3); all are answered alike. A path without one gets the oldest. */
export const API_VERSIONS: readonly string[] = Array.from({ length: 11 }, (_, i) => `v${16 + i}.0`)

const OLDEST = API_VERSIONS[0] as string
const VERSION = /^v\d+\.\d+$/

/** What a path names: `/<version>/<id>/<edge>`, each part but the id optional. */
export interface GraphPath {
  readonly id: string | undefined
  readonly edge: string | undefined
  /** `/v25.0`, as named; empty when the path names none. */
  readonly version: string
  /** The version that answers it, `v25.0`. */
  readonly served_version: string
  /** Without doubled and trailing slashes, for links. */
  readonly normal: string
}

/** Parses a path as clients write them, with doubled and trailing slashes (contract 9.4). Throws code 2500. */
export function parsePath(path: string): GraphPath {
  const components = componentsOf(path)
  const [first] = components
  const hasVersion = first !== undefined && VERSION.test(first)
  if (hasVersion && !API_VERSIONS.includes(first)) throw unknownPath(components)
  const [id, edge, ...rest] = hasVersion ? components.slice(1) : components
  if (rest.length > 0) throw unknownPath(rest)
  const normal = `/${components.join('/')}`
  return { id, edge, version: hasVersion ? `/${first}` : '', served_version: hasVersion ? first : OLDEST, normal }
}

/** The version that answers a path: the one it names, if that is known. */
export function servedVersion(path: string): string {
  const [first = ''] = componentsOf(path)
  return API_VERSIONS.includes(first) ? first : OLDEST
}

export function unknownPath(components: readonly string[]): GraphError {
  return new GraphError(PATH_UNKNOWN, `Unknown path components: /${components.join('/')}`)
}

function componentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((component) => component !== '')
    .map(decode)
}

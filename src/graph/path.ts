import { GraphError, PATH_UNKNOWN } from './error.ts'
import { decode } from './parameters.ts'

/** The versions that clients name (contract 9.3); all are answered alike. A path without one gets the oldest. */
export const API_VERSIONS: readonly string[] = Array.from({ length: 11 }, (_, i) => `v${16 + i}.0`)

const OLDEST = API_VERSIONS[0] as string
const VERSION = /^v\d+\.\d+$/

/** What a path names: `/<version>/<id>/<edge>`, each part but the id optional. */
export interface GraphPath {
  /** The version that answers. */
  readonly version: string
  readonly id: string | undefined
  readonly edge: string | undefined
  /** Without doubled and trailing slashes, for links. */
  readonly normal: string
}

/** Parses a path as clients write them, with doubled and trailing slashes (contract 9.4). Throws code 2500. */
export function parsePath(path: string): GraphPath {
  const components = path
    .split('/')
    .filter((component) => component !== '')
    .map(decode)
  const normal = `/${components.join('/')}`
  const [first] = components
  const version = first !== undefined && VERSION.test(first) ? first : undefined
  if (version !== undefined && !API_VERSIONS.includes(version)) throw unknownPath(components)
  const [id, edge, ...rest] = version === undefined ? components : components.slice(1)
  if (rest.length > 0) throw unknownPath(rest)
  return { version: version ?? OLDEST, id, edge, normal }
}

export function unknownPath(components: readonly string[]): GraphError {
  return new GraphError(PATH_UNKNOWN, `Unknown path components: /${components.join('/')}`)
}

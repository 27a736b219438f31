const STEP = /\.(\*|[\w-]+)|\[(\*|\d+|'[^']*'|"[^"]*")\]/y

/**
 * What a JSONPath names in a JSON value: the part that Meta documents for batches, `$.data.*.id`, `$.data[0].id`.
 * `undefined` when the path is none of these.
 */
export function selectPath(value: unknown, path: string): readonly unknown[] | undefined {
  if (!path.startsWith('$')) return undefined
  let selected: readonly unknown[] = [value]
  for (STEP.lastIndex = 1; STEP.lastIndex < path.length; ) {
    const [, name, place] = STEP.exec(path) ?? []
    const key = name ?? place?.replace(/^["']|["']$/g, '')
    if (key === undefined) return undefined
    selected = selected.flatMap((one) => childrenOf(one, key))
  }
  return selected
}

function childrenOf(value: unknown, key: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (key === '*') return Object.values(value)
  return Object.hasOwn(value, key) ? [(value as Record<string, unknown>)[key]] : []
}

/** The columns of a key after its account, and their types. */
export type KeyColumns = Readonly<Record<string, 'integer' | 'bigint' | 'text'>>

/**
 * A statement that removes rows of one account, `$1`, by their keys, whose columns follow as arrays, where they meet a condition.
 * Each key is looked up by itself, as threads are read.
 */
export function removing(table: string, key: KeyColumns, condition = 'TRUE'): string {
  const columns = Object.keys(key)
  const arrays = Object.values(key).map((type, i) => `$${i + 2}::${type}[]`)
  const isOfKey = columns.map((column) => `${table}.${column} = key.${column}`)
  return `DELETE FROM ${table} WHERE account = $1 AND ctid = ANY(ARRAY(
    SELECT own.ctid FROM unnest(${arrays.join(', ')}) AS key (${columns.join(', ')}),
      LATERAL (SELECT ctid FROM ${table} WHERE account = $1 AND ${isOfKey.join(' AND ')} AND ${condition} OFFSET 0) AS own
  ))`
}

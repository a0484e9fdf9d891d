/**
 * The SQL that writes a row, whether or not there is one.
 * @param keys How many of the first columns form the key.
 */
export function upsert(table: string, columns: readonly string[], keys = 1): string {
  const updates = columns.slice(keys).map((column) => `${column} = excluded.${column}`);
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (${columns.slice(0, keys).join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
}

/**
 * What a row of the table Interface has to say of a port of the bridge's own.
 * @module
 */

/** In the words of the table's columns. */
export interface WantedInterface {
  readonly type: string
  readonly options?: Readonly<Record<string, string>>
  readonly mtu_request?: number
  readonly mac?: string
}

/** The same columns as they are. */
interface InterfaceRow {
  readonly type: string
  readonly options: ReadonlyMap<string, string>
  readonly mtu_request: number | undefined
  readonly mac: string | undefined
}

/** Whether a row says what is wanted, and no more. */
export function isAsWanted(row: InterfaceRow, wanted: WantedInterface): boolean {
  const options = Object.entries(wanted.options ?? {})
  return (
    row.type === wanted.type &&
    row.mtu_request === wanted.mtu_request &&
    row.mac === wanted.mac &&
    row.options.size === options.length &&
    options.every(([key, value]) => row.options.get(key) === value)
  )
}

import type { TransactOptions } from '../client/client.ts'
import type { WaitOptions } from '../client/monitor.ts'
import type { OvsdbClient } from '../client/open-vswitch.ts'
import { OvsdbError } from '../errors.ts'
import type { RowInput } from '../schema/open-vswitch.ts'
import { mutate, update } from '../transact/open-vswitch.ts'
import { byName, type Operation } from '../transact/operations.ts'
import { advanceConfig } from './ports.ts'

/** A change of an Interface row. */
export type InterfaceChange = {
  /** Columns to overwrite. */
  readonly set?: Omit<RowInput<'Interface'>, 'name'>
  /** Keys of external_ids to set, or with undefined to remove; the others stay. */
  readonly externalIds?: Readonly<Record<string, string | undefined>>
}

/** Changes an interface in one transaction. Throws OVSDB_NO_SUCH_INTERFACE. */
export async function setInterface(
  client: Pick<OvsdbClient, 'transact'>,
  name: string,
  change: InterfaceChange,
  options?: TransactOptions,
): Promise<void> {
  const operations: Operation[] = []
  if (change.set !== undefined) operations.push(update('Interface', byName(name), change.set))
  if (change.externalIds !== undefined) {
    const keys = Object.keys(change.externalIds)
    const pairs = Object.entries(change.externalIds).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    )
    operations.push(
      mutate('Interface', byName(name), [
        ['external_ids', 'delete', keys],
        ['external_ids', 'insert', Object.fromEntries(pairs)],
      ]),
    )
  }
  if (operations.length === 0) return
  const [first] = await client.transact([...operations, ...advanceConfig()], options)
  if (first?.count !== 1) throw missing(name)
}

/** What `waitForOfport` needs: any monitor of Interface with at least these columns. */
export type InterfaceWatch = {
  byName(
    table: 'Interface',
    name: string,
  ): { readonly ofport: number | undefined; readonly error: string | undefined } | undefined
  waitFor<R>(probe: () => R | undefined, options?: WaitOptions): Promise<R>
}

export type OfportWaitOptions = WaitOptions & {
  /** The `ofport_request`: another number is an error, because OVS would renumber the running port later. */
  readonly requested?: number
}

/**
 * Resolves with an interface's OpenFlow port number (1 or more) once ovs-vswitchd gave it one. Throws
 * OVSDB_INTERFACE_ERROR with ovs-vswitchd's text, OVSDB_NO_SUCH_INTERFACE when the row goes away, OVSDB_TIMEOUT.
 */
export function waitForOfport(watch: InterfaceWatch, name: string, options: OfportWaitOptions = {}): Promise<number> {
  let seen = false
  const probe = (): number | undefined => {
    const row = watch.byName('Interface', name)
    if (row === undefined) {
      if (seen) throw missing(name)
      return undefined
    }
    seen = true
    if (row.error !== undefined) throw failed(name, row.error)
    if (row.ofport === undefined) return undefined
    if (row.ofport < 1) throw failed(name, 'it got no OpenFlow port number')
    if (options.requested !== undefined && row.ofport !== options.requested) {
      throw failed(name, `it got OpenFlow port ${row.ofport} instead of ${options.requested}, which another port holds`)
    }
    return row.ofport
  }
  return watch.waitFor(probe, { what: `the OpenFlow port of ${name}`, ...options })
}

/** What `waitForConfig` needs: any monitor of Open_vSwitch with at least `cur_cfg`. */
export type ConfigWatch = {
  rows(table: 'Open_vSwitch'): ReadonlyMap<string, { readonly cur_cfg: number }>
  waitFor<R>(probe: () => R | undefined, options?: WaitOptions): Promise<R>
}

/** Resolves once ovs-vswitchd has taken over the configuration `nextCfg` (as `addPorts` returned it). */
export async function waitForConfig(watch: ConfigWatch, nextCfg: number, options: WaitOptions = {}): Promise<void> {
  const probe = (): true | undefined => {
    const [root] = watch.rows('Open_vSwitch').values()
    return root !== undefined && root.cur_cfg >= nextCfg ? true : undefined
  }
  await watch.waitFor(probe, { what: `ovs-vswitchd to reach configuration ${nextCfg}`, ...options })
}

function failed(name: string, why: string): OvsdbError {
  return new OvsdbError('OVSDB_INTERFACE_ERROR', `Open vSwitch could not use interface ${name}: ${why}`, {
    remedy: 'remove the port, correct the cause, add it again; ovs-vswitchd.log has the details',
    details: why,
  })
}

function missing(name: string): OvsdbError {
  return new OvsdbError('OVSDB_NO_SUCH_INTERFACE', `Open vSwitch has no interface ${name}`, {
    remedy: 'add the port again',
  })
}

/**
 * OVN's northbound database as a place of shared state, beside Kubernetes: the configuration, machines and tenants.
 * @module
 */
import { connectNorthbound, type Northbound, type NorthboundOptions } from '../ovn/connect.ts'
import { OVN_KINDS } from '../ovn/registry/records.ts'
import { OvnRegistry, unavailable } from '../ovn/registry/registry.ts'
import { LayeredRegistry, layersOf } from '../registry/layered.ts'
import { LazyRegistry } from '../registry/lazy.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { NOTHING } from './nothing.ts'

/** A northbound database, and whose rows of it are meant. */
export type OvnPlace = Pick<NorthboundOptions, 'remotes' | 'cluster' | 'tls'>

/** Opens it. Nothing is asked yet: a call that finds nobody is `REGISTRY_UNAVAILABLE`, and the next one tries again. */
export function openOvn(
  place: OvnPlace,
  kubernetes: Registry = NOTHING,
): { readonly registry: Registry; close(): void } {
  let nbd: Northbound | undefined
  let isClosed = false
  const open = async (): Promise<Registry> => {
    const connected = await unavailable(connectNorthbound(place))
    if (isClosed) {
      connected.close()
      throw new RegistryError('REGISTRY_UNAVAILABLE', 'the registry was closed')
    }
    nbd?.close()
    nbd = connected
    return OvnRegistry.open(connected)
  }
  const close = (): void => {
    isClosed = true
    nbd?.close()
  }
  return { registry: new LayeredRegistry(layersOf(new LazyRegistry(open), OVN_KINDS, kubernetes)), close }
}

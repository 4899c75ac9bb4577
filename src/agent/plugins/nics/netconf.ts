/**
 * The configuration of the CNI type `host-device`: keys are those of the CNI project's reference plugin, and those by which
 * Neutron is asked what the NIC's port has.
 * Source: containernetworking/plugins v1.9.1, plugins/main/host-device.
 * @module
 */
import { asUnicastMac, ifnameFault } from '../../../cni/formats.ts'
import type { JsonObject } from '../../../cni/index.ts'
import { optionalInteger, optionalObject, optionalText, present, ShapeError } from '../../../cni/json.ts'
import { ipamTypeOf } from '../../../cni/netconf.ts'

/** How a NIC is named. */
export type NicChoice =
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'mac'; readonly mac: string }
  /** Its device's place below `/sys`. */
  | { readonly by: 'path'; readonly path: string }
  | { readonly by: 'pci'; readonly id: string }
  /** The Neutron port that it is plugged into, by ID. */
  | { readonly by: 'port'; readonly id: string }

/** A NIC that a pod is to get. */
export interface NicNetconf {
  readonly choice: NicChoice
  /** Bytes; absent: what Neutron says, else what it has. */
  readonly mtu?: number
  /** Type of the IPAM plugin; absent: the addresses that Neutron says, else none. */
  readonly ipam?: string
  /** Where Neutron is, and who asks it: `openstackConf`. */
  readonly cloud?: JsonObject
}

const MTU = [68, 65_535] as const
const PCI = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const KEYS = 'device, hwaddr, kernelpath, pciBusID or port'

/** Reads a configuration. Throws `ShapeError`. */
export function parseNicNetconf(config: JsonObject): NicNetconf {
  const choice = deviceAssigned(config) ?? choiceIn(config)
  if (choice === undefined) throw new ShapeError('device', `is missing: name the NIC by ${KEYS}`)
  const netconf = present<NicNetconf>({
    choice,
    mtu: config['mtu'] === 0 ? undefined : optionalInteger(config, 'mtu', 'mtu', MTU),
    ipam: ipamTypeOf(config),
    cloud: optionalObject(config, 'openstackConf', 'openstackConf'),
  })
  if (choice.by === 'port' && netconf.cloud === undefined) {
    throw new ShapeError('openstackConf', 'is missing: without it Neutron cannot be asked about the port')
  }
  if (netconf.cloud !== undefined && netconf.ipam !== undefined) {
    throw new ShapeError('ipam', "must be left out: with openstackConf the addresses are those of the NIC's port")
  }
  return netconf
}

/** As the reference plugin has it: the first of them counts. */
function choiceIn(config: JsonObject): NicChoice | undefined {
  const name = optionalText(config, 'device', 'device')
  if (name !== undefined) return { by: 'name', name: checkedName(name) }
  const mac = optionalText(config, 'hwaddr', 'hwaddr')
  if (mac !== undefined) return { by: 'mac', mac: asUnicastMac(mac, 'hwaddr') }
  const path = optionalText(config, 'kernelpath', 'kernelpath')
  if (path !== undefined) return { by: 'path', path: checkedPath(path) }
  const id = optionalText(config, 'pciBusID', 'pciBusID')
  if (id !== undefined) return { by: 'pci', id: checkedPci(id, 'pciBusID') }
  const port = optionalText(config, 'port', 'port')
  return port === undefined ? undefined : { by: 'port', id: checkedPort(port) }
}

/** What a device plugin of the kubelet gave the pod goes before what the network names. */
function deviceAssigned(config: JsonObject): NicChoice | undefined {
  const runtime = optionalObject(config, 'runtimeConfig', 'runtimeConfig') ?? {}
  const id = optionalText(runtime, 'deviceID', 'runtimeConfig.deviceID')
  return id === undefined ? undefined : { by: 'pci', id: checkedPci(id, 'runtimeConfig.deviceID') }
}

function checkedName(name: string): string {
  const fault = ifnameFault(name)
  if (fault !== undefined) throw new ShapeError('device', fault)
  return name
}

function checkedPath(path: string): string {
  const isFine = /^\/sys\/devices\/[^\0]+$/.test(path) && !path.split('/').includes('..')
  if (!isFine) throw new ShapeError('kernelpath', 'must be the path of a device below /sys/devices/')
  return path.replace(/\/+$/, '')
}

function checkedPci(id: string, path: string): string {
  const lower = id.toLowerCase()
  if (PCI.test(lower)) return lower
  throw new ShapeError(
    path,
    'must be the address of a PCI device such as 0000:00:05.0; auxiliary devices are not moved',
  )
}

function checkedPort(id: string): string {
  const lower = id.toLowerCase()
  if (!UUID.test(lower)) throw new ShapeError('port', 'must be the ID of a Neutron port, a UUID')
  return lower
}

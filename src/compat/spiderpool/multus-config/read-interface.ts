/**
 * The step that makes the interface, as each `cniType` has it.
 * @module
 */
import { at } from '../../fields.ts'
import { type Faults, isGiven } from './faults.ts'
import type { DefaultPools, InterfaceStep, TrunkItem } from './multus-config.ts'

const SIZES = { min: 0, max: 65_535 } as const
/** The least that IPv4 needs of a link (RFC 791). */
const LEAST_MTU = 68
/** 0 is no VLAN, 4095 is reserved (IEEE 802.1Q). */
const VLANS = { min: 0, max: 4094 } as const

/** The types whose interfaces are made here. */
export type MadeType = InterfaceStep['type']

/** Reads the block of a type, which is there. Faults are collected. */
export function readInterface(type: MadeType, spec: unknown, faults: Faults): InterfaceStep {
  const block = at(spec, type)
  const field = `spec.${type}`
  if (type === 'ovs') return readOvs(block, field, faults)
  const master = readMaster(block, field, faults)
  const mtu = faults.number(`${field}.mtu`, at(block, 'mtu'), SIZES, 0)
  if (mtu > 0 && mtu < LEAST_MTU)
    faults.add(`${field}.mtu`, 'is less than IPv4 needs', `give ${LEAST_MTU} or more, or 0`)
  if (type === 'vlan') return { type, master, vlan: readVlanOfMode(block, field, faults), mtu }
  const vlan = faults.number(`${field}.vlanID`, at(block, 'vlanID'), VLANS, 0)
  if (vlan !== 0) faults.subInterface(`${field}.vlanID`, master, vlan)
  return { type, master, vlan, mtu }
}

/** Reads the pools in the block of a type. */
export function readPools(type: MadeType, spec: unknown, faults: Faults): DefaultPools {
  const field = `spec.${type}.ippools`
  const pools = at(spec, type, 'ippools')
  if (at(pools, 'matchMasterSubnet') === true) {
    faults.add(`${field}.matchMasterSubnet`, 'is for SR-IOV only', 'leave it out')
  }
  return {
    ipv4: faults.texts(`${field}.ipv4`, at(pools, 'ipv4')),
    ipv6: faults.texts(`${field}.ipv6`, at(pools, 'ipv6')),
  }
}

function readMaster(block: unknown, field: string, faults: Faults): string {
  const masters = faults.items(`${field}.master`, at(block, 'master'))
  if (masters.length === 0)
    faults.add(`${field}.master`, 'is missing', 'name the interface of the nodes that pods share')
  if (masters.length > 1 || isGiven(block, 'bond')) {
    const culprit = masters.length > 1 ? `${field}.master` : `${field}.bond`
    const remedy = 'make the bond on the nodes, by netplan or NetworkManager, and name it as the only master'
    faults.add(culprit, 'asks for a bond, and bonds are not made here', remedy)
  }
  return masters.length === 1 ? faults.name(`${field}.master[0]`, masters[0], 'an interface of the nodes') : ''
}

function readVlanOfMode(block: unknown, field: string, faults: Faults): number {
  const mode = faults.text(`${field}.vlanMode`, at(block, 'vlanMode')) || 'manual'
  if (mode === 'auto') {
    faults.add(`${field}.vlanMode`, 'leaves the VLAN to an outside service, and none is asked here', 'give vlanID')
  } else if (mode !== 'manual') faults.add(`${field}.vlanMode`, 'is neither manual nor auto', 'leave it out')
  return faults.number(`${field}.vlanID`, at(block, 'vlanID'), VLANS, 0)
}

function readOvs(block: unknown, field: string, faults: Faults): InterfaceStep {
  if ((at(block, 'deviceID') ?? '') !== '') {
    faults.add(`${field}.deviceID`, 'names an SR-IOV device, and those are not attached here', 'leave it out')
  }
  return {
    type: 'ovs',
    bridge: faults.name(`${field}.bridge`, at(block, 'bridge'), 'a bridge of the nodes'),
    vlan: faults.number(`${field}.vlan`, at(block, 'vlan'), VLANS, 0),
    trunk: faults
      .items(`${field}.trunk`, at(block, 'trunk'))
      .flatMap((item, index) => readTrunk(item, `${field}.trunk[${index}]`, faults)),
  }
}

/** An item may have both; one that says nothing would be left out by whoever reads it, and the trunk be wider or empty. */
function readTrunk(item: unknown, field: string, faults: Faults): readonly TrunkItem[] {
  const before = faults.found.length
  const id = isGiven(item, 'id') ? faults.number(`${field}.id`, at(item, 'id'), VLANS, 0) : undefined
  const bounds = { ...VLANS, min: 1 }
  const minID = faults.number(`${field}.minID`, at(item, 'minID'), bounds, 0)
  const maxID = faults.number(`${field}.maxID`, at(item, 'maxID'), bounds, 0)
  if (faults.found.length > before) return []
  if (minID === 0 && maxID === 0) {
    if (id === undefined) faults.add(field, 'names no VLAN', 'give id, or minID and maxID')
    return id === undefined ? [] : [{ id }]
  }
  if (minID === 0 || maxID === 0) {
    faults.add(field, 'has one end of a range only', 'give both minID and maxID')
    return []
  }
  if (minID > maxID) faults.add(field, 'ends before it begins', 'make minID the lower one')
  return [...(id === undefined ? [] : [{ id }]), { minID, maxID }]
}

/** The blocks of other types than this. */
export function otherBlocks(type: string, spec: unknown): readonly string[] {
  return BLOCKS.filter(([one, key]) => one !== type && isGiven(spec, key)).map(([, key]) => key)
}

/** `cniType` → the field with its block. */
export const BLOCKS: readonly (readonly [type: string, field: string])[] = [
  ['macvlan', 'macvlan'],
  ['ipvlan', 'ipvlan'],
  ['vlan', 'vlan'],
  ['ovs', 'ovs'],
  ['sriov', 'sriov'],
  ['ib-sriov', 'ibsriov'],
  ['ipoib', 'ipoib'],
  ['custom', 'customCNI'],
]

/**
 * The coordinator's step: the block `coordinator`, under the rules of a SpiderCoordinator's `spec`.
 * @module
 */
import { type Cidr, familyOf, type Ip, parseIp } from '../../../network/model/address.ts'
import { at } from '../../fields.ts'
import { networkIn } from '../../network-text.ts'
import type { Faults } from './faults.ts'
import type { CoordinatorStep } from './multus-config.ts'

const FIELD = 'spec.coordinator'
const MODES = ['auto', 'underlay', 'overlay', 'disabled']
const POD_CIDR_TYPES = ['auto', 'cluster', 'calico', 'cilium', 'none']
/** What the coordinator plugin takes. */
const MOST_NETWORKS = 256
const LONGEST_QUEUE = 1_000_000
const LARGEST_MTU = 65_535

/** Reads the block, or what holds without one. Faults are collected. */
export function readCoordinator(block: unknown, faults: Faults): CoordinatorStep {
  const field = (name: string): string => `${FIELD}.${name}`
  const text = (name: string): string => faults.text(field(name), at(block, name))
  const type = oneOf(field('podCIDRType'), text('podCIDRType'), POD_CIDR_TYPES, '', faults)
  const podMACPrefix = text('podMACPrefix')
  if (podMACPrefix !== '' && !/^[0-9a-f][02468ace]:[0-9a-f]{2}$/i.test(podMACPrefix)) {
    const remedy = 'give two bytes as 0a:1b; the first one must be even, else it is no address of one interface'
    faults.add(field('podMACPrefix'), 'is no prefix of MAC addresses', remedy)
  }
  const podDefaultRouteNic = text('podDefaultRouteNIC')
  const vethLinkAddress = readAddress(field('vethLinkAddress'), text('vethLinkAddress'), faults)
  const vethMTU = faults.number(field('vethMTU'), at(block, 'vethMTU'), { min: 1, max: LARGEST_MTU }, 0)
  const filter = faults.number(
    field('podRPFilter'),
    at(block, 'podRPFilter'),
    { min: -Number.MAX_SAFE_INTEGER, max: 2 },
    0,
  )
  // Every number below 0 leaves it alone.
  const podRPFilter = Math.max(-1, filter)
  return {
    mode: oneOf(field('mode'), text('mode'), MODES, 'auto', faults),
    hijackCIDR: readNetworks(field('hijackCIDR'), at(block, 'hijackCIDR'), faults),
    policyRoutes: readRoutes(field('policyRoutes'), at(block, 'policyRoutes'), faults),
    ...(podMACPrefix === '' ? {} : { podMACPrefix }),
    ...(podDefaultRouteNic === '' ? {} : { podDefaultRouteNic }),
    ...(vethLinkAddress === undefined ? {} : { vethLinkAddress }),
    ...(vethMTU === 0 ? {} : { vethMTU }),
    tunePodRoutes: faults.flag(field('tunePodRoutes'), at(block, 'tunePodRoutes'), true),
    txQueueLen: faults.number(field('txQueueLen'), at(block, 'txQueueLen'), { min: 0, max: LONGEST_QUEUE }, 0),
    // 0 is there in every block, as the schema's default: it says something only where somebody chose.
    ...(podRPFilter === 0 && type === '' ? {} : { podRPFilter }),
  }
}

function oneOf(field: string, word: string, words: readonly string[], otherwise: string, faults: Faults): string {
  if (word === '') return otherwise
  if (!words.includes(word)) faults.add(field, 'is none of the words for it', `give one of ${words.join(', ')}`)
  return word
}

function readAddress(field: string, text: string, faults: Faults): Ip | undefined {
  if (text === '') return undefined
  const address = parseIp(text)
  if (address === undefined) faults.add(field, 'is no IP address', 'give an address such as 169.254.100.1')
  return address
}

function readNetworks(field: string, value: unknown, faults: Faults): readonly Cidr[] {
  return few(field, value, faults).flatMap((one, index) => readNetwork(`${field}[${index}]`, one, faults) ?? [])
}

function few(field: string, value: unknown, faults: Faults): readonly unknown[] {
  const items = faults.items(field, value)
  if (items.length > MOST_NETWORKS) faults.add(field, 'has too many items', `give ${MOST_NETWORKS} at most`)
  return items.slice(0, MOST_NETWORKS)
}

function readNetwork(field: string, value: unknown, faults: Faults): Cidr | undefined {
  const network = networkIn(value)
  if (network === undefined) faults.add(field, 'is no address and no network', 'give 10.0.0.0/8, or one address')
  return network
}

function readRoutes(field: string, value: unknown, faults: Faults): CoordinatorStep['policyRoutes'] {
  return few(field, value, faults).flatMap((route, index) => {
    const here = `${field}[${index}]`
    const dst = readNetwork(`${here}.dst`, at(route, 'dst'), faults)
    const gw = parseIp(faults.text(`${here}.gw`, at(route, 'gw')))
    if (gw === undefined) faults.add(`${here}.gw`, 'is no IP address', "give the gateway's address")
    if (dst === undefined || gw === undefined) return []
    if (familyOf(dst) !== familyOf(gw)) faults.add(here, 'mixes IPv4 and IPv6', 'give dst and gw of one family')
    return [{ dst, gw }]
  })
}

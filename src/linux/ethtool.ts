/**
 * Offloads and carrier of a link, by ethtool's ioctl on a socket of the link's namespace.
 * @module
 */
import { badArgument, checked } from './errno.ts'
import { checkLinkName } from './netlink/link-name.ts'
import { AF_INET } from './sockaddr.ts'
import { closeFd, openSocket, SOCK_DGRAM } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

/** A feature: can it be changed, was it asked for, is it on. */
export interface EthtoolFeature {
  readonly available: boolean
  readonly requested: boolean
  readonly active: boolean
  readonly neverChanged: boolean
}

/**
 * Turns off what a link may leave undone for hardware that does not exist behind a userspace datapath: transmit
 * checksums and every kind of segmentation. A recreated link has them again. One call, about 20 µs.
 */
export function disableOffloads(link: string, nsFd?: number): void {
  withSocket(link, nsFd, (fd) => {
    knownNames ??= featureNames(fd, link)
    const names = knownNames.filter((name) => OFFLOADS.test(name))
    setFeatures(fd, link, knownNames, new Map(names.map((name) => [name, false])))
  })
}

/** Every feature of a link by its name in ethtool(8) -k, for example `tx-checksum-ip-generic`. */
export function ethtoolFeatures(link: string, nsFd?: number): ReadonlyMap<string, EthtoolFeature> {
  return withSocket(link, nsFd, (fd) => {
    const names = featureNames(fd, link)
    const blocks = Math.ceil(names.length / 32)
    const data = new Uint8Array(8 + 16 * blocks)
    data.set(words(ETHTOOL_GFEATURES, blocks))
    checked(systemCalls().ethtool(fd, link, data), 'ethtool', `${link}: features`)
    const view = new DataView(data.buffer)
    return new Map(names.map((name, i) => [name, featureAt(view, i)]))
  })
}

/**
 * Asks for features to be on or off. The kernel may keep others off that depend on them, or refuse one silently: read
 * them again. Throws LINUX_ARGUMENT for a name that the kernel does not know.
 */
export function ethtoolSet(link: string, wanted: ReadonlyMap<string, boolean>, nsFd?: number): void {
  withSocket(link, nsFd, (fd) => setFeatures(fd, link, featureNames(fd, link), wanted))
}

/** Has the link a carrier? */
export function linkDetected(link: string, nsFd?: number): boolean {
  return withSocket(link, nsFd, (fd) => {
    const data = words(ETHTOOL_GLINK, 0)
    checked(systemCalls().ethtool(fd, link, data), 'ethtool', `${link}: carrier`)
    return data[4] !== 0
  })
}

const ETHTOOL_GLINK = 0x0a
const ETHTOOL_GSTRINGS = 0x1b
const ETHTOOL_GSSET_INFO = 0x37
const ETHTOOL_GFEATURES = 0x3a
const ETHTOOL_SFEATURES = 0x3b
const ETH_SS_FEATURES = 4
const STRING_SIZE = 32

const OFFLOADS = /^tx-(checksum-.*|.*segmentation|gso-.*)$/

// The kernel's list of features is the same for every link.
let knownNames: readonly string[] | undefined

function setFeatures(fd: number, link: string, names: readonly string[], wanted: ReadonlyMap<string, boolean>): void {
  const blocks = Math.ceil(names.length / 32)
  const data = new Uint8Array(8 + 8 * blocks)
  data.set(words(ETHTOOL_SFEATURES, blocks))
  const view = new DataView(data.buffer)
  for (const [name, on] of wanted) {
    const index = names.indexOf(name)
    if (index < 0) throw badArgument(`${link}: the kernel knows no feature ${JSON.stringify(name)}`)
    setBit(view, 8 + 8 * (index >> 5), index & 31)
    if (on) setBit(view, 12 + 8 * (index >> 5), index & 31)
  }
  checked(systemCalls().ethtool(fd, link, data), 'ethtool', `${link}: set features`)
}

function withSocket<T>(link: string, nsFd: number | undefined, action: (fd: number) => T): T {
  checkLinkName(link)
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0, nsFd)
  try {
    return action(fd)
  } finally {
    closeFd(fd)
  }
}

/** Names in the order of the feature bits; empty names are bits without a meaning. */
function featureNames(fd: number, link: string): readonly string[] {
  const calls = systemCalls()
  const info = words(ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_FEATURES, 0, 0)
  checked(calls.ethtool(fd, link, info), 'ethtool', `${link}: number of features`)
  const count = Math.min(new DataView(info.buffer).getUint32(16, true), 512)
  const data = new Uint8Array(12 + count * STRING_SIZE)
  data.set(words(ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count))
  checked(calls.ethtool(fd, link, data), 'ethtool', `${link}: names of features`)
  return Array.from({ length: count }, (_, i) => nameAt(data, 12 + i * STRING_SIZE))
}

function nameAt(data: Uint8Array, at: number): string {
  const bytes = data.subarray(at, at + STRING_SIZE)
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** struct ethtool_get_features_block: available, requested, active, never changed. */
function featureAt(view: DataView, index: number): EthtoolFeature {
  const at = 8 + 16 * (index >> 5)
  const bit = (offset: number): boolean => ((view.getUint32(at + offset, true) >>> (index & 31)) & 1) === 1
  return { available: bit(0), requested: bit(4), active: bit(8), neverChanged: bit(12) }
}

function setBit(view: DataView, at: number, bit: number): void {
  view.setUint32(at, (view.getUint32(at, true) | (1 << bit)) >>> 0, true)
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, true)
  return bytes
}

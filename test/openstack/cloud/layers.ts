/**
 * What a frame is made of, from outside to inside: for saying that something is encapsulated once, and by what.
 * @module
 */

/** A header of a frame. */
export type Layer = 'arp' | 'ethernet' | 'geneve' | 'gre' | 'icmp' | 'ipv4' | 'ipv6' | 'tcp' | 'udp' | 'vlan' | 'vxlan'

type Step = { readonly layer: Layer; readonly length: number; readonly next: Reader | undefined }
type Reader = (view: DataView) => Step

/** Layers of an Ethernet frame as far as they are known; a frame that ends too early ends the list. */
export function layersOf(frame: Uint8Array): readonly Layer[] {
  const layers: Layer[] = []
  let reader: Reader | undefined = ethernet
  let offset = 0
  while (reader !== undefined && offset < frame.length) {
    try {
      const { layer, length, next }: Step = reader(
        new DataView(frame.buffer, frame.byteOffset + offset, frame.length - offset),
      )
      layers.push(layer)
      offset += length
      reader = next
    } catch (error) {
      if (error instanceof RangeError) return layers
      throw error
    }
  }
  return layers
}

function ethernet(view: DataView): Step {
  return { layer: 'ethernet', length: 14, next: byEtherType(view.getUint16(12)) }
}

function vlan(view: DataView): Step {
  return { layer: 'vlan', length: 4, next: byEtherType(view.getUint16(2)) }
}

function ipv4(view: DataView): Step {
  return { layer: 'ipv4', length: (view.getUint8(0) & 15) * 4, next: byProtocol(view.getUint8(9)) }
}

function ipv6(view: DataView): Step {
  return { layer: 'ipv6', length: 40, next: byProtocol(view.getUint8(6)) }
}

function udp(view: DataView): Step {
  return { layer: 'udp', length: 8, next: TUNNELS.get(view.getUint16(2)) }
}

/** RFC 8926: options are counted in words of four bytes. */
function geneve(view: DataView): Step {
  return { layer: 'geneve', length: 8 + (view.getUint8(0) & 63) * 4, next: byEtherType(view.getUint16(2)) }
}

function vxlan(): Step {
  return { layer: 'vxlan', length: 8, next: ethernet }
}

/** RFC 2890: checksum, key and sequence number are there where their bits are. */
function gre(view: DataView): Step {
  const flags = view.getUint8(0)
  const words = [0x80, 0x20, 0x10].filter((bit) => (flags & bit) !== 0).length
  return { layer: 'gre', length: 4 + 4 * words, next: byEtherType(view.getUint16(2)) }
}

function last(layer: Layer): Reader {
  return () => ({ layer, length: 0, next: undefined })
}

const ETHER_TYPES: ReadonlyMap<number, Reader> = new Map([
  [0x0800, ipv4],
  [0x0806, last('arp')],
  [0x6558, ethernet],
  [0x8100, vlan],
  [0x86dd, ipv6],
])

const PROTOCOLS: ReadonlyMap<number, Reader> = new Map([
  [1, last('icmp')],
  [4, ipv4],
  [6, last('tcp')],
  [17, udp],
  [41, ipv6],
  [47, gre],
  [58, last('icmp')],
])

const TUNNELS: ReadonlyMap<number, Reader> = new Map([
  [4789, vxlan],
  [6081, geneve],
])

function byEtherType(type: number): Reader | undefined {
  return ETHER_TYPES.get(type)
}

function byProtocol(protocol: number): Reader | undefined {
  return PROTOCOLS.get(protocol)
}

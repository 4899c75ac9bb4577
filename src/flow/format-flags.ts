import type { FieldMatch, Masked } from './flow.ts'

const CT_STATE = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat']
const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns']

/** `+new-est+trk`: a sign for each bit that counts; `est|trk` where all do. */
export function formatCtState(masked: Masked): string {
  const [bits, mask] = [Number(masked.value), Number(masked.mask)]
  if (mask !== 0xff) return signed(CT_STATE, bits, mask)
  return bits === 0 ? '0' : CT_STATE.filter((_, i) => (bits & (1 << i)) !== 0).join('|')
}

/** `+syn-ack` under a mask, `syn|ack` exactly; hexadecimal where bits without a name are meant. */
export function formatTcpFlags(value: FieldMatch): string {
  if (typeof value === 'object') {
    const [bits, mask] = [Number(value.value), Number(value.mask)]
    return mask >>> TCP_FLAGS.length === 0
      ? signed(TCP_FLAGS, bits, mask)
      : `0x${bits.toString(16)}/0x${mask.toString(16)}`
  }
  const bits = Number(value)
  if (bits === 0) return '0'
  if (bits >>> TCP_FLAGS.length !== 0) return `0x${bits.toString(16).padStart(3, '0')}`
  return TCP_FLAGS.filter((_, i) => (bits & (1 << i)) !== 0).join('|')
}

function signed(names: readonly string[], value: number, mask: number): string {
  const shown = names.map((name, i) =>
    (mask & (1 << i)) === 0 ? '' : `${(value & (1 << i)) === 0 ? '-' : '+'}${name}`,
  )
  return shown.join('')
}

const ANY = 1
const LATER = 2

/** `no`, `yes`, `first`, `later` or `not_later`. */
export function formatFragment(match: FieldMatch): string {
  const [value, mask] = typeof match === 'object' ? [Number(match.value), Number(match.mask)] : [Number(match), 3]
  if (mask === LATER) return (value & LATER) === 0 ? 'not_later' : 'later'
  if (mask === ANY || (value & ANY) === 0) return (value & ANY) === 0 ? (value === 0 ? 'no' : '<error>') : 'yes'
  return (value & LATER) === 0 ? 'first' : 'later'
}

const PRESENT = 0x1000

/** `dl_vlan=5` and `dl_vlan_pcp=3` for a whole VLAN, `vlan_tci=0x1000/0x1000` for parts of it. */
export function formatVlan(vid: FieldMatch | undefined, pcp: FieldMatch | undefined): string[] {
  if (vid === undefined) return []
  const [value, mask] = typeof vid === 'object' ? [Number(vid.value), Number(vid.mask)] : [Number(vid), 0x1fff]
  const present = (value & mask & PRESENT) !== 0
  const id = mask & 0xfff
  if (present && id === 0xfff) {
    return [`dl_vlan=${value & 0xfff}`, ...(pcp === undefined ? [] : [`dl_vlan_pcp=${pcp}`])]
  }
  if (present && id === 0 && pcp !== undefined) return [`dl_vlan_pcp=${pcp}`]
  const [tci, tciMask] = [value | (Number(pcp ?? 0) << 13), mask | (pcp === undefined ? 0 : 0xe000)]
  const hex = (bits: number): string => `0x${bits.toString(16).padStart(4, '0')}`
  return [`vlan_tci=${hex(tci)}/${hex(tciMask)}`]
}

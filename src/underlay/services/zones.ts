/**
 * A zone of connection tracking for each pod. A connection between two pods of one node crosses its bridge twice, once with each
 * pod's VLAN: in one zone the second crossing would be taken for the first one's answer, and dropped. With a zone for each
 * VLAN the bridge sees what each pod sees. Pure.
 * @module
 */
import type { CachedPort } from '../../compat/ovn-underlay/cache.ts'

const TABLE = 'weft-underlay'
/** Marks hold the VLAN from one hook to the next, and are taken off there. */
const MARK = 0x57_00_00_00

/** The ruleset without ours. */
export const NO_ZONES = ['bridge', 'ip'].map((family) => emptied(family)).join('')

/** The ruleset for these ports behind a bridge with these members, in nft's language: it takes the place of the one before. */
export function zonesOf(hostBridge: string, members: readonly string[], ports: readonly CachedPort[]): string {
  if (ports.length === 0 || members.length === 0) return NO_ZONES
  const vlans = ports.map(({ vlan }) => vlan)
  const marks = vlans.map((vlan) => `${vlan} : 0x${mark(vlan)}`).join(', ')
  const zones = vlans.map((vlan) => `0x${mark(vlan)} : ${vlan}`).join(', ')
  // Frames of other bridges have VLANs of their own.
  const from = members.map((name) => JSON.stringify(name)).join(', ')
  return `${NO_ZONES}
table bridge ${TABLE} {
  chain prerouting {
    type filter hook prerouting priority -310;
    iifname { ${from} } meta mark set vlan id map { ${marks} }
  }
}
table ip ${TABLE} {
  chain prerouting {
    type filter hook prerouting priority -310;
    iifname ${JSON.stringify(hostBridge)} ct zone set meta mark map { ${zones} }
    iifname ${JSON.stringify(hostBridge)} meta mark and 0xff000000 == 0x57000000 meta mark set 0
  }
}
`
}

function mark(vlan: number): string {
  return (MARK + vlan).toString(16)
}

/** A table that is not there cannot be deleted. */
function emptied(family: string): string {
  return `table ${family} ${TABLE}\ndelete table ${family} ${TABLE}\n`
}

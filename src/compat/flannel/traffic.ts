/**
 * Address translation for what leaves a flannel network, as a chain of an nftables table. Facts: flannel 0.28,
 * pkg/trafficmngr, without the fault of its nftables variant, whose fourth rule keeps the sixth from ever being reached.
 * @module
 */
import { type Cidr, familyOf } from '../../network/model/address.ts'

/** What is translated. */
export interface Masquerade {
  /** The whole networks and this machine's subnets, of which each family has one. */
  readonly networks: readonly Cidr[]
  readonly subnets: readonly Cidr[]
  /** Source ports by chance alone. */
  readonly fullyRandom: boolean
}

/** kube-proxy's mark for what it translates itself; other bits of the mark are others'. */
const KUBE_PROXY = '0x4000'
const GROUPS = { ip: '224.0.0.0/4', ip6: 'ff00::/8' } as const

/** The chain's head and rules. */
export function masqueradeRules({ networks, subnets, fullyRandom }: Masquerade): readonly string[] {
  const rules = networks.flatMap((network) => {
    const subnet = subnets.find((one) => familyOf(one) === familyOf(network))
    return subnet === undefined ? [] : rulesOf(network, subnet, fullyRandom)
  })
  return [
    'type nat hook postrouting priority 100; policy accept;',
    `meta mark & ${KUBE_PROXY} == ${KUBE_PROXY} return`,
    ...rules,
  ]
}

function rulesOf(network: Cidr, subnet: Cidr, fullyRandom: boolean): readonly string[] {
  const family = familyOf(network) === 4 ? 'ip' : 'ip6'
  const masquerade = `counter masquerade${fullyRandom ? ' fully-random' : ''}`
  return [
    `${family} saddr ${subnet} ${family} daddr ${network} return`,
    `${family} saddr ${network} ${family} daddr ${subnet} return`,
    // Who comes from outside to a pod of this machine keeps its address: services with a local traffic policy need it.
    `${family} saddr != ${network} ${family} daddr ${subnet} return`,
    `${family} saddr ${network} ${family} daddr != ${GROUPS[family]} ${masquerade}`,
    `${family} saddr != ${network} ${family} daddr ${network} ${masquerade}`,
  ]
}

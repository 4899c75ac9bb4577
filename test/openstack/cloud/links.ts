/**
 * Links of network namespaces, by iproute2.
 * @module
 */
import { output } from '../../lab/command.ts'

/** A link's end in a namespace. */
export interface LinkEnd {
  readonly netns: string
  readonly ifname: string
}

/** What a link is given. Addresses have the length of their prefix. */
export interface Addressing {
  readonly mac?: string
  readonly mtu?: number
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
}

/** Runs `ip` in a namespace, a command a line. */
export async function ipIn(netns: string, ...commands: readonly string[]): Promise<void> {
  await output(['ip', '-n', netns, '-batch', '-'], { input: `${commands.join('\n')}\n` })
}

/** A pair of links, one end in each of two namespaces. */
export async function veth(one: LinkEnd, other: LinkEnd): Promise<void> {
  await ipIn(one.netns, `link add ${one.ifname} type veth peer name ${other.ifname} netns ${other.netns}`)
}

/** Gives a link its addresses, sets it up, and makes it lead to the world. */
export async function address({ netns, ifname }: LinkEnd, what: Addressing): Promise<void> {
  const { mac, mtu, addresses, gateways } = what
  await ipIn(
    netns,
    ...(mac === undefined ? [] : [`link set ${ifname} address ${mac}`]),
    ...(mtu === undefined ? [] : [`link set ${ifname} mtu ${mtu}`]),
    `link set ${ifname} up`,
    ...addresses.map((one) => `addr add ${one} dev ${ifname}${one.includes(':') ? ' nodad' : ''}`),
    ...gateways.map((one) => `route add default via ${one} dev ${ifname}`),
  )
}

/** Makes a namespace with a loopback. */
export async function newNetns(netns: string): Promise<void> {
  await output(['ip', 'netns', 'add', netns])
  await ipIn(netns, 'link set lo up')
}

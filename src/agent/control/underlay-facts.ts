/**
 * What an agent tells of pods on the physical network.
 * @module
 */
import { endpointId } from '../../network/model/endpoint.ts'
import { isLinkName } from '../attach/lease.ts'
import type { Ports } from '../attach/ports.ts'
import type { FoundPort, UnderlayPorts } from '../plugins/ovs/ports.ts'
import type { Wires } from '../switch/wires.ts'
import type { UnderlayFact } from './facts.ts'

/** Pods' interfaces on bridges of the physical network, those that lost their port included. */
export function underlayFacts(ports: UnderlayPorts, wires: Pick<Wires, 'guards'>): readonly UnderlayFact[] {
  const lost = ports.lost().map((port) => ({ port, problem: `Open vSwitch has no port ${port.link}` }))
  const standing = ports.all().map((port) => ({ port, problem: port.error }))
  return [...standing, ...lost].map(({ port, problem }) => {
    const { containerId, ifname, pod, mac, addresses } = port.record
    return {
      id: endpointId(containerId, ifname),
      namespace: pod?.namespace ?? '',
      pod: pod?.name ?? '',
      ifname,
      link: port.link,
      bridge: port.bridge,
      vlan: vlanOf(port),
      mac,
      addresses,
      guard: guardOf(ports, wires, port),
      problem,
    }
  })
}

/** Ports of a guarded bridge that are named as pods' are, and that nobody recorded: nobody guards them. */
export function strayPorts(all: Pick<Ports, 'namesOn'>, ports: UnderlayPorts, bridge: string): readonly string[] {
  return all.namesOn(bridge).filter((name) => isLinkName(name) && ports.named(name) === undefined)
}

function guardOf(ports: UnderlayPorts, wires: Pick<Wires, 'guards'>, port: FoundPort): UnderlayFact['guard'] {
  if (!ports.isGuarded(port.bridge)) return 'others'
  const guarded = ports.guardedPort(port)
  return guarded !== undefined && wires.guards(guarded) ? 'guarded' : 'missing'
}

function vlanOf({ rows: { port } }: FoundPort): string {
  const { vlan_mode: mode, tag, trunks, cvlans } = port
  const own = tag === undefined ? [] : [String(tag)]
  const carried = [...(trunks ?? []), ...(cvlans ?? [])].sort((a, b) => a - b)
  const isTrunk = mode === 'trunk' || (mode === undefined && tag === undefined)
  const list =
    carried.length > 0 ? [`trunk ${rangesOf(carried)}`] : isTrunk || mode?.startsWith('native') ? ['trunk'] : []
  return [...own, ...list].join(', ')
}

/** `1-3,7`. */
function rangesOf(numbers: readonly number[]): string {
  const parts: [number, number][] = []
  for (const number of numbers) {
    const last = parts.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else parts.push([number, number])
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

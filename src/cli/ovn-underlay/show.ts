/**
 * What this node has of the underlay, for people and programs.
 * @module
 */
import type { SwitchRecord } from '../../compat/ovn-underlay/record.ts'
import type { Look } from '../../text/look.ts'
import { table } from '../../text/table.ts'
import type { NodeState } from '../../underlay/state.ts'

/** A port with the pod that has it. */
interface PortView {
  readonly vlan: number
  readonly address: string
  readonly mac: string
  readonly port: string
  readonly pod?: string
  readonly link?: string
}

/** Lines for people. */
export function stateLines(state: NodeState, look: Look): readonly string[] {
  const { record } = state
  const ports = portsOf(state)
  if (record === undefined && ports.length === 0) return ['this node has no logical switch: lswitch-setup makes one']
  const used = ports.filter(({ link }) => link !== undefined).length
  const facts = [
    // What `weft ovn prepare` prints is a cache, too.
    ...(record === undefined ? ['the ports of this node are not by lswitch-setup'] : factsOf(record)),
    `${used} of ${ports.length} ports have pods`,
  ]
  const columns = [
    { head: 'VLAN', align: 'right' },
    { head: 'ADDRESS' },
    { head: 'MAC' },
    { head: 'POD' },
    { head: 'PORT' },
  ] as const
  const rows = ports.map(({ vlan, address, mac, pod, link, port }) => [
    String(vlan),
    address,
    mac,
    pod ?? (link === undefined ? '–' : `(${link})`),
    port,
  ])
  return [...facts, ...(rows.length === 0 ? [] : ['', ...table(columns, rows, look)])]
}

function factsOf(record: SwitchRecord): readonly string[] {
  const { name, subnet, gateway, router, nesting, mtu, cluster = [] } = record
  return [
    `${name}: ${subnet}, ${WORDS[record.isClosing === true ? 'going' : record.state]}`,
    ...(gateway === undefined ? [] : [`gateway ${gateway.address} (${gateway.mac}) of router ${router ?? '?'}`]),
    ...(nesting === undefined
      ? []
      : [`behind port ${record.parent}, by ${nesting === 'trunk' ? 'its trunk' : 'binding:profile'}`]),
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(cluster.length === 0 ? [] : [`services by the host, for pods of ${cluster.join(', ')}`]),
  ]
}

/** The same for programs. */
export function stateJson(state: NodeState): object {
  return { switch: state.record ?? null, ports: portsOf(state) }
}

const WORDS = { making: 'not complete', ready: 'ready', going: 'being taken away' } as const

function portsOf({ cache, pods }: NodeState): readonly PortView[] {
  return cache.map(({ id, vlan, address, mac }) => {
    const row = pods.find(({ port }) => port === id)
    return {
      vlan,
      address,
      mac,
      port: id,
      ...(row?.pod === undefined ? {} : { pod: row.pod }),
      ...(row === undefined ? {} : { link: row.link }),
    }
  })
}

/**
 * Leases against ports and links of their node.
 * @module
 */

import type { Lease } from '../../agent/attach/lease.ts'
import type { LinkFact, NodeFacts, PortFact, UnderlayFact } from '../../agent/control/facts.ts'
import { DIRECT } from '../../network/fabric/direct.ts'
import { isDirect } from '../../network/fabric/way.ts'
import { BRIDGE, GATEWAY, TUNNEL } from '../../network/host.ts'
import { DIRECT_PORT, GATEWAY_PORT, TUNNEL_PORT } from '../../network/pipeline/stages.ts'
import type { Finding, FindingCode } from './findings.ts'
import type { RepairStep } from './repair.ts'

/** Differences between a node's leases and its ports and links. */
export function auditAttachments(facts: NodeFacts): Finding[] {
  const { node } = facts.status
  const ports = new Map(facts.ports.map((port) => [port.name, port]))
  const links = new Map(facts.links.map((link) => [link.name, link]))
  const taken = new Set([...facts.leases, ...facts.unreadable].map(({ link }) => link))
  const report: Report = (code, object, detail, step) => ({ code, node, object, detail, step })
  return [
    ...facts.unreadable.map(({ link, problem }) => report('unreadable-lease', `port ${link}`, problem)),
    ...ownPorts(facts, ports, report),
    ...facts.leases.flatMap((lease) => [
      ...leasePort(lease, ports.get(lease.link), report),
      ...leaseLink(lease, links.get(lease.link), report),
    ]),
    ...facts.ports.flatMap((port) => (taken.has(port.name) || isOwn(port.name) ? [] : strayPort(port, report))),
    ...facts.underlay.flatMap((one) => underlayPort(one, report)),
    ...facts.wires.flatMap(({ bridge, strays }) => strays.map((name) => strayOn(bridge, name, report))),
    ...facts.links.flatMap((link) => (taken.has(link.name) || isOwn(link.name) ? [] : strayLink(link, report))),
  ]
}

/** `pod shop/web`, or the attachment where the runtime named no pod. */
export function objectOf({ endpoint }: Lease): string {
  return endpoint.pod === '' ? `attachment ${endpoint.id}` : `pod ${endpoint.namespace}/${endpoint.pod}`
}

type Report = (code: FindingCode, object: string, detail: string, step?: RepairStep) => Finding

/** Names that only our attachments have; see `linkName`. */
const OUR_LINK = /^weft[0-9a-f]{11}$/

function isOwn(name: string): boolean {
  return [BRIDGE, GATEWAY, TUNNEL, DIRECT].includes(name)
}

function ownPorts({ cluster, self }: NodeFacts, ports: ReadonlyMap<string, PortFact>, report: Report): Finding[] {
  // For a while after the cluster went back to the tunnel the other port stays.
  const goesDirect = self.machine.kind === 'node' && (isDirect(cluster) || ports.has(DIRECT))
  const wanted: readonly (readonly [string, number])[] = [
    [TUNNEL, TUNNEL_PORT],
    [GATEWAY, GATEWAY_PORT],
    ...(goesDirect ? [[DIRECT, DIRECT_PORT] as const] : []),
  ]
  return wanted.flatMap(([name, number]) => {
    const port = ports.get(name)
    if (port?.ofport === number) return []
    const detail =
      port === undefined ? `the bridge has no ${name}` : `has number ${port.ofport ?? 'none'} instead of ${number}`
    return [report('own-port-missing', `port ${name}`, port?.error ?? detail, { op: 'sync-host' })]
  })
}

function leasePort(lease: Lease, port: PortFact | undefined, report: Report): Finding[] {
  const { id, ofport } = lease.endpoint
  const step: RepairStep = { op: 'put-port', endpoint: id }
  const object = objectOf(lease)
  if (port === undefined) return [report('lease-without-port', object, `no port ${lease.link} on the bridge`, step)]
  if (port.error !== undefined) return [report('port-error', object, `port ${lease.link}: ${port.error}`, step)]
  if (port.ofport === ofport) return []
  const detail = `port ${lease.link} has number ${port.ofport ?? 'none'}, its lease says ${ofport}`
  return [report('ofport-mismatch', object, detail, step)]
}

function leaseLink(lease: Lease, link: LinkFact | undefined, report: Report): Finding[] {
  if (link !== undefined && !link.doomed) return []
  const detail = `link ${lease.link} ${link === undefined ? 'does not exist' : 'is being removed'}`
  return [report('lease-without-link', objectOf(lease), detail, { op: 'release-lease', endpoint: lease.endpoint.id })]
}

function strayPort(port: PortFact, report: Report): Finding[] {
  const step: RepairStep | undefined = OUR_LINK.test(port.name) ? { op: 'remove-port', port: port.name } : undefined
  const whose = step === undefined ? 'somebody else plugged it in' : 'an attachment that is gone had it'
  return [report('port-without-lease', `port ${port.name}`, whose, step)]
}

function underlayPort({ id, namespace, pod, ifname, bridge, guard, problem }: UnderlayFact, report: Report): Finding[] {
  const object = `${pod === '' ? `attachment ${id}` : `pod ${namespace}/${pod}`}, ${ifname}`
  if (problem !== undefined) return [report('underlay-port-missing', object, `bridge ${bridge}: ${problem}`)]
  if (guard !== 'missing') return []
  return [report('underlay-unguarded', object, `bridge ${bridge}`, { op: 'sync-flows' })]
}

function strayOn(bridge: string, port: string, report: Report): Finding {
  const detail = `on ${bridge}; an attachment that is gone had it`
  return report('port-without-lease', `port ${port}`, detail, { op: 'remove-port', port })
}

function strayLink({ name, doomed, alias }: LinkFact, report: Report): Finding[] {
  const code = doomed ? 'doomed-link-left' : 'link-without-lease'
  const detail = alias === undefined ? 'it names no attachment' : `it was made for ${alias}`
  return [report(code, `link ${name}`, detail, { op: 'remove-link', link: name })]
}

/**
 * Which records a service and its endpoints have: the Kubernetes DNS specification 1.1, sections 2.3 to 2.5.
 * @module
 */

import type { Data } from '../../dns/message.ts'
import { isName } from '../../dns/name.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'
import { at, count, list, text } from '../workloads/values.ts'
import { reverseName } from './reverse.ts'

/** What a name says, without the name. */
export type NamedData = readonly (readonly [name: string, data: Data])[]

/** All records of a service in a zone, of its slices and of itself. What has no valid name is left out. */
export function serviceRecords(service: KubeObject, slices: readonly KubeObject[], domain: string): NamedData {
  const { name, namespace = '' } = service.metadata
  const own = `${name}.${namespace}.svc.${domain}`.toLowerCase()
  const found = recordsOf(service, slices, own)
  return found.filter(([owner, data]) => isName(owner) && (!('target' in data) || isName(data.target)))
}

function recordsOf(service: KubeObject, slices: readonly KubeObject[], own: string): NamedData {
  const type = at(service, 'spec', 'type')
  if (type === 'ExternalName') {
    const target = text(at(service, 'spec', 'externalName'))
      ?.replace(/\.$/, '')
      .toLowerCase()
    return target === undefined ? [] : [[own, { type: 'CNAME', target }]]
  }
  if (at(service, 'spec', 'clusterIP') === 'None') return headlessRecords(slices, own)
  const addresses = clusterAddresses(service)
  const ports = list(at(service, 'spec', 'ports')).flatMap((port) => servicePort(port, own, own))
  return [
    ...addresses.map((address) => [own, addressData(address)] as const),
    ...(addresses.length === 0 ? [] : ports),
    ...addresses.map((address) => [reverseName(address), { type: 'PTR', target: own }] as const),
  ]
}

/** Every ready endpoint, at the service's name and at one of its own: its hostname, or its address with dashes. */
function headlessRecords(slices: readonly KubeObject[], own: string): NamedData {
  const records = new Map<string, readonly [string, Data]>()
  const add = (name: string, data: Data): void => {
    records.set(JSON.stringify([name, data]), [name, data])
  }
  for (const slice of slices) {
    for (const endpoint of list(slice['endpoints'])) {
      if (at(endpoint, 'conditions', 'ready') === false) continue
      for (const address of list(at(endpoint, 'addresses')).flatMap(addressOf)) {
        const host = `${text(at(endpoint, 'hostname')) ?? dashed(address)}.${own}`.toLowerCase()
        add(own, addressData(address))
        add(host, addressData(address))
        add(reverseName(address), { type: 'PTR', target: host })
        for (const port of list(slice['ports']))
          for (const [name, data] of servicePort(port, own, host)) add(name, data)
      }
    }
  }
  return [...records.values()]
}

/** SRV records are for ports with a name. */
function servicePort(port: unknown, own: string, target: string): NamedData {
  const [name, number] = [text(at(port, 'name')), count(at(port, 'port'))]
  if (name === undefined || number === undefined || number > 0xffff) return []
  const protocol = (text(at(port, 'protocol')) ?? 'TCP').toLowerCase()
  return [
    [`_${name}._${protocol}.${own}`.toLowerCase(), { type: 'SRV', priority: 0, weight: 100, port: number, target }],
  ]
}

function clusterAddresses(service: KubeObject): readonly Ip[] {
  const given = list(at(service, 'spec', 'clusterIPs'))
  const all = given.length > 0 ? given : [at(service, 'spec', 'clusterIP')]
  return [...new Set(all.flatMap(addressOf))]
}

function addressOf(value: unknown): readonly Ip[] {
  const address = typeof value === 'string' ? parseIp(value) : undefined
  return address === undefined ? [] : [address]
}

/** An address as A or AAAA data. */
export function addressData(address: Ip): Data {
  return { type: address.includes(':') ? 'AAAA' : 'A', address }
}

/** An address as a label; one that begins or ends with a colon gets a zero there. */
function dashed(address: Ip): string {
  return address.replace(/^:/, '0:').replace(/:$/, ':0').replace(/[.:]/g, '-')
}

import { cidr, type Ip, ip } from '../../../../network/model/address.ts'
import { parseIpRange } from '../../../../network/model/ip-range.ts'
import type { Pod } from '../../../../network/model/pod.ts'
import type { AddressClaim, AddressPool } from '../../../../network/model/pool.ts'

/** A pool that gives out these ranges, of 172.18.0.0/16 or fd00::/64. */
export function pool(name: string, range: string, more: Partial<AddressPool> = {}): AddressPool {
  const family = range.includes(':') ? 6 : 4
  return {
    name,
    uid: `uid-${name}`,
    createdAt: '2026-01-01T00:00:00Z',
    family,
    subnet: cidr(family === 4 ? '172.18.0.0/16' : 'fd00::/64'),
    ranges: range.split(',').flatMap((text) => parseIpRange(text) ?? []),
    excluded: [],
    gateway: ip(family === 4 ? '172.18.0.1' : 'fd00::1'),
    routes: [],
    isDefault: false,
    isDisabled: false,
    isTerminating: false,
    nodes: [],
    namespaces: [],
    definitions: [],
    ...more,
  }
}

/** A pod that asks for these pools. */
export function pod(name: string, wishes: Readonly<Record<string, string>> = {}, more: Partial<Pod> = {}): Pod {
  return { namespace: 'default', name, uid: `uid-${name}`, node: 'node1', addresses: [], wishes, ...more }
}

/** The wish for pools of every interface. */
export function from(ipv4: readonly string[], ipv6: readonly string[] = []): Readonly<Record<string, string>> {
  return { 'ipam.spidernet.io/ippool': JSON.stringify({ ipv4, ipv6 }) }
}

export const STATEFUL = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'uid-db' } as const

/** A claim by another pod. */
export function claim(address: string, more: Partial<AddressClaim> = {}): AddressClaim {
  return {
    address: ip(address),
    prefix: address.includes(':') ? 64 : 16,
    pool: 'p',
    namespace: 'other',
    pod: 'other-1',
    podUid: 'uid-other',
    ifname: 'eth0',
    containerId: 'sandbox-other',
    node: 'node9',
    isSticky: false,
    gateway: ip(address.includes(':') ? 'fd00::1' : '172.18.0.1') as Ip,
    routes: [],
    hasCleanGateway: false,
    ...more,
  }
}

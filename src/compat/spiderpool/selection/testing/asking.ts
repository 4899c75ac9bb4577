/** Questions of interfaces, and what is chosen for them. */
import { CniError } from '../../../../cni/errors.ts'
import { cidr } from '../../../../network/model/address.ts'
import { parseIpRange } from '../../../../network/model/ip-range.ts'
import type { Pod } from '../../../../network/model/pod.ts'
import type { Requirement } from '../../../../network/model/policy.ts'
import type { AddressPool } from '../../../../network/model/pool.ts'
import type { FamilyChoice, KnownPools, PoolQuestion, SelectionSettings } from '../question.ts'
import { selectPools } from '../select.ts'

export const IPPOOL = 'ipam.spidernet.io/ippool'
export const IPPOOLS = 'ipam.spidernet.io/ippools'
export const SUBNET = 'ipam.spidernet.io/subnet'
export const SUBNETS = 'ipam.spidernet.io/subnets'
export const NETWORKS = 'k8s.v1.cni.cncf.io/networks'
export const DEFAULT_NETWORK = 'v1.multus-cni.io/default-network'

export const SETTINGS: SelectionSettings = {
  installNamespace: 'kube-system',
  clusterNetwork: 'ovs-conf',
  families: new Set([4, 6]),
  hasSubnets: true,
}

export function pool(name: string, more: Partial<AddressPool> = {}): AddressPool {
  const { family = 4 } = more
  return {
    name,
    uid: `uid-${name}`,
    createdAt: '2026-01-01T00:00:00Z',
    family,
    subnet: cidr(family === 4 ? '172.18.0.0/16' : 'fd00::/64'),
    ranges: [parseIpRange(family === 4 ? '172.18.30.131-172.18.30.140' : 'fd00::10-fd00::20')].flatMap(
      (one) => one ?? [],
    ),
    excluded: [],
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

export const v6 = (name: string, more: Partial<AddressPool> = {}): AddressPool => pool(name, { family: 6, ...more })
export const label = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values })

export function known(pools: readonly AddressPool[], problems: Readonly<Record<string, string>> = {}): KnownPools {
  const all = new Map(pools.map((one) => [one.name, one]))
  return { get: (name) => all.get(name), values: () => all.values(), problemOf: (name) => problems[name] }
}

export type Wishes = Readonly<Record<string, string>>

export function pod(wishes: Wishes = {}, more: Partial<Pod> = {}): Pod {
  return { namespace: 'shop', name: 'web-1', uid: 'u1', node: 'node1', addresses: [], wishes, ...more }
}

export function ask(wishes: Wishes = {}, more: Partial<PoolQuestion> = {}): PoolQuestion {
  return {
    ifname: 'eth0',
    ordinal: 0,
    pod: pod(wishes),
    namespace: { name: 'shop' },
    node: { name: 'node1' },
    defaults: { 4: [], 6: [] },
    hasCleanGateway: false,
    ...more,
  }
}

export const json = JSON.stringify
export const summary = (choices: readonly FamilyChoice[]) =>
  choices.map(({ family, candidates }) => `${family}:${candidates.map(({ name }) => name).join(',')}`).join(' ')

export function chosen(question: PoolQuestion, pools: readonly AddressPool[], settings = SETTINGS): string {
  const { source, choices } = selectPools(question, known(pools), settings)
  return `${source} ${summary(choices)}`
}

export function failure(act: () => unknown): { id: string; code: number; message: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof CniError) return { id: error.id, code: error.code, message: error.message }
    throw error
  }
  throw new Error('it did not fail')
}

/**
 * A small world for tests: two nodes, two tenants, a global namespace.
 * @module
 */
import { cidr, ip } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Surroundings } from '../checks.ts'
import { clusterOf, DEFAULT_SHAPE } from '../options.ts'

const node = (n: number): NodeNetwork => ({
  node: `node${n}`,
  machine: { kind: 'node', uid: `uid-${n}` },
  addresses: [ip(`198.18.77.1${n}`), ip(`fd00:18:77::1${n}`)],
  ranges: [cidr(`10.12${7 + n}.0.0/23`), cidr(`fd00:10:128:${n}::/64`)],
  status: { ready: true, uplinkMtu: 1500, datapath: 'netdev' },
})

const pod = (namespace: string, name: string, n: number, host: number): Pod => ({
  namespace,
  name,
  uid: `${namespace}-${name}`,
  node: `node${n}`,
  addresses: [ip(`10.12${7 + n}.0.${host}`), ip(`fd00:10:128:${n}::${host}`)],
})

/** Pods shop/web and bank/vault on node1, shop/db and default/monitor on node2. */
export const SAMPLE: Surroundings = {
  cluster: clusterOf(DEFAULT_SHAPE),
  nodes: [node(1), node(2)],
  pods: [
    pod('bank', 'vault', 1, 2),
    pod('default', 'monitor', 2, 2),
    pod('shop', 'db', 2, 3),
    pod('shop', 'web', 1, 3),
  ],
  tenants: [
    { namespace: 'default', vni: 0 },
    { namespace: 'shop', vni: 10 },
    { namespace: 'bank', vni: 11 },
  ],
  outside: [ip('198.18.77.1'), ip('fd00:18:77::1')],
}

/**
 * Plans of any size, for what is measured without pods.
 * @module
 */
import { type NodeContext, nodeContext } from '../../src/network/context.ts'
import { cidr, formatIp, type Ip, ip, ipValue, macFromIp } from '../../src/network/model/address.ts'
import { type Endpoint, endpointId } from '../../src/network/model/endpoint.ts'
import { FIRST_ENDPOINT_PORT } from '../../src/network/pipeline/stages.ts'
import { NodePlanner } from '../../src/network/planner.ts'

const FIRST_V4 = ipValue(ip('10.128.1.0'))
const FIRST_V6 = ipValue(ip('fd00:10:128::1:0'))
const PORTS = 60_000

/** A node with a /14 and a /48 to itself. */
export function sampleContext(): NodeContext {
  const networks = [
    { cidr: cidr('10.128.0.0/14'), hostBits: 18 },
    { cidr: cidr('fd00:10:128::/48'), hostBits: 80 },
  ]
  const context = nodeContext(
    {
      networks,
      serviceNetworks: [],
      tenancy: 'multitenant',
      encapsulation: { type: 'vxlan', port: 4789 },
      underlay: 4,
      services: 'weft',
    },
    {
      node: 'node1',
      machine: { kind: 'node', uid: 'uid-node1' },
      addresses: [ip('192.0.2.1')],
      ranges: [cidr('10.128.0.0/14'), cidr('fd00:10:128::/48')],
    },
    1450,
  )
  if (context === undefined) throw new Error('a node with ranges has a context')
  return context
}

/** Endpoint number `n`, with addresses of its own. */
export function sampleEndpoint(n: number, namespace: string): Endpoint {
  const address = formatIp(4, FIRST_V4 + BigInt(n))
  const addresses: readonly Ip[] = [address, formatIp(6, FIRST_V6 + BigInt(n))]
  const containerId = `bench-${n}`
  return {
    id: endpointId(containerId, 'eth0'),
    containerId,
    ifname: 'eth0',
    namespace,
    pod: `pod-${n}`,
    mac: macFromIp(address),
    addresses,
    ofport: FIRST_ENDPOINT_PORT + (n % PORTS),
  }
}

/** A plan with so many endpoints, a hundred to a tenant. */
export function samplePlan(endpoints: number): NodePlanner {
  const planner = new NodePlanner(sampleContext())
  for (let n = 0; n < endpoints; n += 1) {
    const tenant = Math.floor(n / 100)
    if (n % 100 === 0) planner.putTenant(`tenant-${tenant}`, 10 + tenant)
    planner.putEndpoint(sampleEndpoint(n, `tenant-${tenant}`))
  }
  planner.take()
  return planner
}

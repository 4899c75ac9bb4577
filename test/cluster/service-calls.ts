/**
 * Services, called from pods, from nodes and from outside.
 * @module
 */
import { run } from '../lab/command.ts'
import type { Cluster } from './cluster.ts'
import { inControl, type NodePlace } from './places.ts'
import type { Report } from './report.ts'
import { TENANTS, type TenantPod } from './tenants.ts'

const CALLS = 12

interface ServiceObject {
  readonly spec: { readonly clusterIPs: readonly string[]; readonly ports: readonly { readonly nodePort: number }[] }
}

/** Each tenant's service answers its own pods from both nodes, and nobody else's; its node port answers outside. */
export async function showServices(rig: Cluster, pods: readonly TenantPod[], report: Report): Promise<void> {
  report.section('Services')
  for (const tenant of TENANTS) {
    const { spec } = await rig.get<ServiceObject>('service', 'web', '-n', tenant)
    for (const from of TENANTS) {
      const caller = pods.find(({ namespace }) => namespace === from)
      if (caller === undefined) throw new Error(`${from} has no pod`)
      for (const address of spec.clusterIPs) await showCalls(rig, { caller, tenant, address, report })
    }
    for (const node of rig.places.nodes) await showNodePort(rig, node, spec.ports[0]?.nodePort ?? 0, report)
  }
  const [first] = pods
  if (first === undefined) return
  const said = await rig.ask('exec', '-n', first.namespace, first.name, '--', 'sh', '-c', API_CALL)
  report.check(said.includes('400'), `${first.namespace}/${first.name} reaches the API server by its service`)
}

/** The API server speaks TLS: to plain HTTP it answers that it is a bad request, which is an answer. */
const API_CALL = 'timeout 3 wget -S -O- http://172.30.0.1:443/version 2>&1 || true'

interface Calls {
  readonly caller: TenantPod
  readonly tenant: string
  readonly address: string
  readonly report: Report
}

async function showCalls(rig: Cluster, { caller, tenant, address, report }: Calls): Promise<void> {
  const own = caller.namespace === tenant
  const host = address.includes(':') ? `[${address}]` : address
  const script = `for i in $(seq ${own ? CALLS : 1}); do timeout 2 wget -qO- http://${host}/ || echo none; done`
  const said = (await rig.ask('exec', '-n', caller.namespace, caller.name, '--', 'sh', '-c', script)).split('\n')
  const servers = [...new Set(said.filter((line) => line !== '' && line !== 'none'))].sort()
  const expected = own ? rig.places.nodes.length : 0
  const answers = servers.length === 0 ? 'no answer' : `answers of ${servers.join(', ')}`
  report.check(
    servers.length === expected,
    `${caller.namespace}/${caller.name} → service ${tenant}/web ${address}: ${answers}`,
  )
}

async function showNodePort(rig: Cluster, node: NodePlace, port: number, report: Report): Promise<void> {
  for (const address of node.addresses) {
    const host = address.includes(':') ? `[${address}]` : address
    const curl = ['curl', '-sf', '--noproxy', '*', '--max-time', '3', `http://${host}:${port}/`]
    const { code, stdout } = await run([...inControl(rig.places), ...curl])
    report.check(code === 0, `outside → ${host}:${port}: ${code === 0 ? stdout.trim() : 'no answer'}`)
  }
}

/**
 * Pods of two tenants on every node, and who reaches whom: asked by `kubectl exec … ping`, beside what is expected.
 * @module
 */
import type { Cluster } from './cluster.ts'
import { namespace, pod, service } from './objects.ts'

export const TENANTS = ['shop', 'bank'] as const

/** A pod with its addresses of both families. */
export interface TenantPod {
  readonly namespace: string
  readonly name: string
  readonly node: string
  readonly ips: readonly string[]
}

/** Makes a pod of each tenant on each node, and a service of each tenant. Resolves when all are ready. */
export async function makeTenants(rig: Cluster): Promise<readonly TenantPod[]> {
  const nodes = rig.places.nodes.map(({ name }) => name)
  await rig.apply(...TENANTS.map((name) => namespace(name)))
  for (const tenant of TENANTS) await accountExists(rig, tenant)
  await rig.apply(
    ...TENANTS.flatMap((tenant) => [
      service({ name: 'web', namespace: tenant }, { ipFamilyPolicy: 'PreferDualStack', type: 'NodePort' }),
      ...nodes.map((node) => pod({ name: `web-${node}`, namespace: tenant, labels: { app: 'web' }, node })),
    ]),
  )
  return tenantPods(rig)
}

/** The tenants' pods, as soon as they are ready. */
export async function tenantPods(rig: Cluster): Promise<readonly TenantPod[]> {
  for (const tenant of TENANTS) {
    await rig.ask('-n', tenant, 'wait', 'pod', '-l', 'app=web', '--for=condition=Ready', '--timeout=90s')
  }
  return (await Promise.all(TENANTS.map((tenant) => podsOf(rig, tenant)))).flat()
}

/** How many endpoints of a tenant's service are ready, as Kubernetes has it. */
export async function readyEndpoints(rig: Cluster, tenant: string): Promise<number> {
  const { items } = await rig.get<{ readonly items: readonly SliceObject[] }>(
    'endpointslices',
    '-n',
    tenant,
    '-l',
    SERVICE,
  )
  const ready = items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready === true)
  return ready.length
}

interface SliceObject {
  readonly endpoints?: readonly { readonly conditions: { readonly ready?: boolean } }[] | null
}

const SERVICE = 'kubernetes.io/service-name=web'

/** Who reaches whom: `yes` or `no` for each pair, asked pod by pod with one `kubectl exec`. */
export async function pingTable(rig: Cluster, pods: readonly TenantPod[]): Promise<readonly (readonly boolean[])[]> {
  const targets = pods.flatMap(({ ips }) => ips)
  const script = `for ip in ${targets.join(' ')}; do
    (ping -c 2 -i 0.3 -W 1 $ip > /dev/null 2>&1 && echo "$ip yes" || echo "$ip no") & done; wait`
  const rows: (readonly boolean[])[] = []
  for (const { namespace, name } of pods) {
    const said = await rig.ask('exec', '-n', namespace, name, '--', 'sh', '-c', script)
    const reached = new Set(
      said
        .split('\n')
        .filter((line) => line.endsWith(' yes'))
        .map((line) => line.split(' ')[0]),
    )
    rows.push(pods.map(({ ips }) => ips.every((ip) => reached.has(ip))))
  }
  return rows
}

/** The table for people, and whether it is as expected: inside of a tenant everybody, outside nobody. */
export function drawTable(
  pods: readonly TenantPod[],
  rows: readonly (readonly boolean[])[],
): { readonly lines: readonly string[]; readonly wrong: number } {
  let wrong = 0
  const lines = pods.map((from, y) => {
    const cells = pods.map((to, x) => {
      const reached = rows[y]?.[x] ?? false
      const expected = from.namespace === to.namespace
      if (reached !== expected) wrong += 1
      return `${reached ? 'yes' : 'no'}${reached === expected ? '' : '!'}`.padEnd(4)
    })
    return `${`${y + 1} ${from.namespace}/${from.name}`.padEnd(20)}${from.ips.join(' ').padEnd(36)}${cells.join(' ')}`
  })
  return { lines: [`${' '.repeat(56)}${pods.map((_, x) => String(x + 1).padEnd(4)).join(' ')}`, ...lines], wrong }
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly podIPs?: readonly { readonly ip: string }[] }
}

async function podsOf(rig: Cluster, tenant: string): Promise<readonly TenantPod[]> {
  const { items } = await rig.get<{ readonly items: readonly PodObject[] }>('pods', '-n', tenant, '-l', 'app=web')
  return items.map(({ metadata, spec, status }) => ({
    namespace: metadata.namespace,
    name: metadata.name,
    node: spec.nodeName,
    ips: status.podIPs?.map(({ ip }) => ip) ?? [],
  }))
}

/** No pod is accepted before its namespace has its account. */
async function accountExists(rig: Cluster, namespace: string): Promise<void> {
  await rig.ask('-n', namespace, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s')
}

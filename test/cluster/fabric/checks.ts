/**
 * What holds on every fabric: tenants, services, policies; and what is on the wire.
 * @module
 */

import { netnsOpen } from '../../../src/linux/netns.ts'
import { closeFd } from '../../../src/linux/socket.ts'
import { familyOf, ip } from '../../../src/network/model/address.ts'
import { netnsPath } from '../../../src/playground/layout.ts'
import { until } from '../../../src/playground/processes.ts'
import { capture, isEchoRequest, isWrappedEchoRequest } from '../../lab/capture.ts'
import type { Cluster } from '../cluster.ts'
import { pod } from '../objects.ts'
import type { Report } from '../report.ts'
import { showServices } from '../service-calls.ts'
import { drawTable, pingTable, TENANTS, type TenantPod } from '../tenants.ts'

const [SHOP] = TENANTS
/** A pod of the tenant that the policy is not for. */
const GUEST = 'guest'
const POLICY = 'members-only'
const ECHOES = 3
const PATIENCE = 15_000

/** Makes the pod that a policy shuts out, on the first node. */
export async function makeGuest(rig: Cluster): Promise<void> {
  await rig.apply(pod({ name: GUEST, namespace: SHOP, node: rig.node(1).name }))
  await rig.ask('-n', SHOP, 'wait', `pod/${GUEST}`, '--for=condition=Ready', '--timeout=90s')
}

/** Who reaches whom, services, and a policy that comes and goes. */
export async function showWhatHolds(rig: Cluster, pods: readonly TenantPod[], report: Report): Promise<void> {
  const { lines, wrong } = drawTable(pods, await pingTable(rig, pods))
  report.note(lines.join('\n'))
  report.check(wrong === 0, `${pods.length ** 2} pairs, ${wrong} of them not as expected`)
  await showServices(rig, pods, report)
  await showPolicy(rig, pods, report)
}

/** Echo requests between nodes are bare, or all of them are in tunnels. */
export async function showWire(
  rig: Cluster,
  pods: readonly TenantPod[],
  isBare: boolean,
  report: Report,
): Promise<void> {
  const [from, to] = acrossNodes(rig, pods)
  const netns = netnsOpen(netnsPath(rig.node(2).netns))
  try {
    for (const target of to.ips) {
      const family = familyOf(ip(target))
      const seen = capture(netns)
      const isAnswered = await reaches(rig, from.name, target)
      const bare = seen.frames.filter((frame) => isEchoRequest(frame, family)).length
      const wrapped = seen.frames.filter((frame) => isWrappedEchoRequest(frame, family)).length
      seen.close()
      const holds = isAnswered && (isBare ? bare >= ECHOES && wrapped === 0 : bare === 0 && wrapped >= ECHOES)
      report.check(
        holds,
        `on the wire, ${from.name} → ${target}: ${bare} echo requests bare, ${wrapped} frames of tunnels`,
      )
    }
  } finally {
    closeFd(netns)
  }
}

/** Two pods of one tenant, on two nodes. */
export function acrossNodes(rig: Cluster, pods: readonly TenantPod[]): readonly [TenantPod, TenantPod] {
  const [from, to] = [1, 2].map((index) =>
    pods.find(({ namespace, node }) => namespace === SHOP && node === rig.node(index).name),
  )
  if (from === undefined || to === undefined) throw new Error('this takes a pod on each of two nodes')
  return [from, to]
}

async function showPolicy(rig: Cluster, pods: readonly TenantPod[], report: Report): Promise<void> {
  const [member, target] = acrossNodes(rig, pods)
  const expect = async (what: string, isGuestIn: boolean): Promise<void> => {
    const said = async (): Promise<readonly boolean[]> =>
      Promise.all([member.name, GUEST].flatMap((name) => target.ips.map((address) => reaches(rig, name, address))))
    const wanted = [...target.ips.map(() => true), ...target.ips.map(() => isGuestIn)].join()
    const holds = await until(async () => (await said()).join() === wanted, PATIENCE)
    const guest = isGuestIn ? 'reaches' : 'does not reach'
    report.check(holds, `${what}: ${member.name} reaches ${target.name} on the other node, ${GUEST} ${guest} it`)
  }
  await expect('without a policy', true)
  await rig.apply(MEMBERS_ONLY)
  await expect('with a NetworkPolicy', false)
  await rig.ask('-n', SHOP, 'delete', 'networkpolicy', POLICY)
  await expect('without it', true)
}

const MEMBERS_ONLY = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: POLICY, namespace: SHOP },
  spec: {
    podSelector: { matchLabels: { app: 'web' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }],
  },
} as const

async function reaches(rig: Cluster, name: string, address: string): Promise<boolean> {
  const ping = ['ping', '-c', String(ECHOES), '-i', '0.2', '-W', '1', address]
  return (await rig.kubectl(['-n', SHOP, 'exec', name, '--', ...ping])).code === 0
}

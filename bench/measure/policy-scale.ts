/**
 * What policies cost to compile and to install: the cluster of a published benchmark, many ranges on one node, and one
 * event in the midst of it.
 * @module
 */
import { join } from 'node:path'
import { bundles, diffFragments, diffSwitch } from '../../src/network/diff.ts'
import { NO_TABLES } from '../../src/network/fragments/fragment.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import { addFlows, connectOpenFlow } from '../../src/ovs/openflow/index.ts'
import { vsctl } from '../../src/playground/lab/switch.ts'
import { median, type Result } from '../result.ts'
import type { Compilation } from '../rig/policy-child.ts'
import {
  endpointOf,
  namespaceOf,
  PODS_EACH,
  podOf,
  policiesOf,
  policyContext,
  rangePolicy,
} from '../rig/policy-cluster.ts'
import type { Rig } from '../rig/rig.ts'

const BRIDGE = 'br-bench'
const LOCAL = 250
const ROUNDS = 100
const ANTREA = 'published for Antrea’s controller, which makes no flows (5.8–6.4 s, 1.5–1.7 GB)'

/** Lines of the whole: `quick` is a tenth of it. */
export async function measurePolicyScale(rig: Rig, quick: boolean): Promise<readonly Result[]> {
  const namespaces = quick ? 2_500 : 25_000
  return [
    ...(await compiled('node', namespaces, `for a node of ${LOCAL} pods`)),
    ...(await compiled('cluster', namespaces, 'for every node at once')),
    ...events(namespaces),
    ...(await ranges(rig, quick ? 500 : 5_000)),
  ]
}

async function compiled(what: 'node' | 'cluster', namespaces: number, whose: string): Promise<readonly Result[]> {
  const child = join(import.meta.dir, '../rig/policy-child.ts')
  const argv = [process.execPath, child, what, String(namespaces)]
  const { policies, pods, seconds, peakMiB, flows } = await Bun.$`${argv}`.json().then((one: Compilation) => one)
  const size = `${policies.toLocaleString('en')} policies, ${pods.toLocaleString('en')} pods`
  const isTarget = what === 'node'
  return [
    {
      what: `${size}, compiled ${whose}`,
      unit: 's',
      ours: seconds,
      ...(isTarget ? { target: { of: 'ours', atMost: 6 } as const } : {}),
      note: `${flows.toLocaleString('en')} flows; ${ANTREA}`,
    },
    {
      what: `the same: most memory of the process`,
      unit: 'MiB',
      ours: peakMiB,
      ...(isTarget ? { target: { of: 'ours', atMost: 1430 } as const } : {}),
    },
  ]
}

/** Events of a planner that knows the whole cluster, from the event to the rows that go to the switch. */
function events(namespaces: number): readonly Result[] {
  const planner = new NodePlanner(policyContext())
  for (let n = 0; n < namespaces; n += 1) {
    planner.putNamespace(namespaceOf(n))
    for (const policy of policiesOf(n, namespaces)) planner.putPolicy(policy)
  }
  for (let n = 0; n < namespaces * PODS_EACH; n += 1) planner.putPod(podOf(n, LOCAL))
  for (let n = 0; n < LOCAL; n += 1) planner.putEndpoint(endpointOf(podOf(n, LOCAL), n))
  planner.take()
  const far = podOf(8, 0)
  const late = { ...far, name: 'late', uid: 'late', addresses: podOf(90_000, 0).addresses, labels: { role: 'front' } }
  const here = podOf(8, LOCAL)
  const [policy] = policiesOf(2, namespaces)
  return [
    event(
      planner,
      'a pod of another node joins a group',
      () => planner.putPod(late),
      () => planner.removePod(keyOf(late)),
    ),
    event(
      planner,
      'a pod of another node gets another label',
      () => planner.putPod({ ...late, labels: { role: 'back' } }),
      () => planner.putPod(late),
    ),
    event(
      planner,
      'a pod here gets another label',
      () => planner.putPod({ ...here, labels: { app: 'app-1', role: 'back' } }),
      () => planner.putPod(here),
    ),
    event(
      planner,
      'a pod that no policy here speaks of',
      () => planner.putPod({ ...late, namespace: `namespace-${namespaces - 1}` }),
      () => planner.removePod(`namespace-${namespaces - 1}/late`),
    ),
    ...(policy === undefined
      ? []
      : [
          event(
            planner,
            'a policy for four pods here',
            () => planner.putPolicy({ ...policy, name: 'new' }),
            () => planner.removePolicy(`NetworkPolicy/${policy.namespace}/new`),
          ),
        ]),
  ]
}

function event(planner: NodePlanner, what: string, happen: () => void, undo: () => void): Result {
  let rows = 0
  const samples = Array.from({ length: ROUNDS }, () => {
    const started = performance.now()
    happen()
    const { write, remove } = diffFragments(planner.take())
    const us = (performance.now() - started) * 1000
    rows = write.length + remove.length
    undo()
    planner.take()
    return us
  })
  return { what: `${what}: plan`, unit: 'µs', ours: median(samples.slice(ROUNDS / 2)), note: `${rows} flows touched` }
}

/** Policies of three ranges each, all for the pods of one namespace, compiled and installed. */
async function ranges(rig: Rig, policies: number): Promise<readonly Result[]> {
  const started = performance.now()
  const planner = new NodePlanner(policyContext())
  for (let n = 0; n < policies; n += 1) planner.putPolicy(rangePolicy(n))
  for (let n = 0; n < PODS_EACH; n += 1) {
    planner.putPod(podOf(n, LOCAL))
    planner.putEndpoint(endpointOf(podOf(n, LOCAL), n))
  }
  const flows = planner.flows()
  const compiling = performance.now() - started
  const installing = await install(rig, planner)
  planner.take()
  const one = event(
    planner,
    `one policy more beside ${policies.toLocaleString('en')}`,
    () => planner.putPolicy(rangePolicy(policies)),
    () => planner.removePolicy(`NetworkPolicy/namespace-0/ranges-${policies}`),
  )
  const size = `${policies.toLocaleString('en')} policies with ${(policies * 3).toLocaleString('en')} ranges on one node`
  return [
    {
      what: `${size}: compiled`,
      unit: 's',
      ours: compiling / 1000,
      note: `${flows.length.toLocaleString('en')} flows`,
    },
    { what: 'the same: installed in Open vSwitch', unit: 's', ours: installing / 1000 },
    one,
  ]
}

async function install(rig: Rig, planner: NodePlanner): Promise<number> {
  const node = rig.node(1)
  await vsctl(node, 'add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, 'datapath_type=netdev', 'fail_mode=secure')
  const client = await connectOpenFlow({ path: join(node.ovsDir, `${BRIDGE}.mgmt`), waitForSwitch: true })
  try {
    const started = performance.now()
    const meterless = planner.flows().filter(({ actions }) => actions.every(({ op }) => op !== 'controller'))
    for (const { write } of bundles(diffSwitch(NO_TABLES, { flows: meterless, groups: [] }))) {
      await client.bundle({ flows: addFlows(write) })
    }
    return performance.now() - started
  } finally {
    client.close()
    await vsctl(node, 'del-br', BRIDGE)
  }
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`
}

/**
 * A deployment that grows and shrinks again, and what it leaves behind.
 * @module
 */
import { deepEqual } from 'node:assert/strict'
import { until } from '../../src/playground/processes.ts'
import type { Cluster } from './cluster.ts'
import { describeInventory, type Inventory, inventory } from './inventory.ts'
import { deployment } from './objects.ts'
import { waitFor } from './programs.ts'
import type { Report } from './report.ts'
import { showAudits, type Weft } from './weft.ts'

const TENANT = 'shop'
/** Kubelets remove sandboxes in their own time. */
const PATIENCE = 180_000

interface Scaling {
  readonly weft: Weft
  readonly replicas: number
  readonly report: Report
}

/** From none to so many replicas and back. */
export async function showScaling(rig: Cluster, { weft, replicas, report }: Scaling): Promise<void> {
  const { nodes } = rig.places
  report.section(`A deployment from 0 to ${replicas} replicas and back`)
  const count = (): Promise<readonly Inventory[]> => Promise.all(nodes.map((node) => inventory(rig, node)))
  const show = (all: readonly Inventory[]): void => {
    for (const [index, one] of all.entries()) report.note(`${nodes[index]?.name}: ${describeInventory(one)}`)
  }
  const before = await count()
  show(before)
  await rig.apply(deployment({ name: 'many', namespace: TENANT }, 0))
  const start = performance.now()
  await rig.ask('-n', TENANT, 'scale', 'deployment/many', `--replicas=${replicas}`)
  const rollout = await rig.kubectl(['-n', TENANT, 'rollout', 'status', 'deployment/many', '--timeout=300s'], {
    timeout: 310_000,
  })
  report.succeeded(rollout, `${replicas} pods run after ${((performance.now() - start) / 1000).toFixed(1)} s`)
  const addresses = (
    await rig.ask('-n', TENANT, 'get', 'pods', '-l', 'app=many', '-o', 'jsonpath={.items[*].status.podIP}')
  ).split(' ')
  report.check(new Set(addresses).size === replicas, `${new Set(addresses).size} addresses, each of them once`)
  show(await count())
  await showAudits(rig, weft, report)
  await rig.ask('-n', TENANT, 'delete', 'deployment/many', '--wait=true')
  await waitFor(
    'no pod is left',
    async () => (await rig.ask('-n', TENANT, 'get', 'pods', '-l', 'app=many', '-o', 'name')) === '',
  )
  const equal = await until(async () => isSame(before, await count()), PATIENCE)
  const after = await count()
  show(after)
  report.check(equal, 'sandboxes, links, ports and flows are as many as before')
  await showAudits(rig, weft, report)
}

function isSame(a: readonly Inventory[], b: readonly Inventory[]): boolean {
  try {
    deepEqual(a, b)
    return true
  } catch {
    return false
  }
}

/**
 * A process of its own that compiles a cluster's policies, so that its memory is theirs alone: `node` for one node of 250
 * pods, `cluster` for every pod there is. Prints what it took as JSON.
 * @module
 */
import { readFileSync } from 'node:fs'
import { NodePlanner } from '../../src/network/planner.ts'
import { PolicyPlan } from '../../src/network/policy/plan.ts'
import { Catalogue } from '../../src/network/service/catalogue.ts'
import { endpointOf, namespaceOf, PODS_EACH, podOf, policiesOf, policyContext } from './policy-cluster.ts'

/** What a compilation took. */
export interface Compilation {
  readonly policies: number
  readonly pods: number
  readonly seconds: number
  /** The most memory that the process ever had, in MiB. */
  readonly peakMiB: number
  readonly flows: number
}

const LOCAL = 250
const [what, size] = process.argv.slice(2)
console.log(JSON.stringify(compile(what === 'cluster', Number(size))))

function compile(isWhole: boolean, namespaces: number): Compilation {
  const pods = namespaces * PODS_EACH
  const local = isWhole ? pods : LOCAL
  let flows = 0
  const plan = isWhole ? wholePlan((count) => (flows += count)) : nodePlan()
  const started = performance.now()
  for (let n = 0; n < namespaces; n += 1) {
    plan.putNamespace(namespaceOf(n))
    for (const policy of policiesOf(n, namespaces)) plan.put(policy)
  }
  for (let n = 0; n < pods; n += 1) plan.putPod(podOf(n, local))
  for (let n = 0; n < local; n += 1) plan.putEndpoint(endpointOf(podOf(n, local), n))
  const settled = plan.settle()
  flows += settled
  const seconds = (performance.now() - started) / 1000
  return { policies: namespaces * 3, pods, seconds, peakMiB: peakMiB(), flows }
}

type Plan = Pick<PolicyPlan, 'putNamespace' | 'put' | 'putPod' | 'putEndpoint'> & { settle(): number }

/** Policies alone, of all pods of the cluster. */
function wholePlan(count: (flows: number) => void): Plan {
  const plan = new PolicyPlan(policyContext, new Catalogue(), (_key, fragment) => count(fragment?.flows.length ?? 0))
  return {
    putNamespace: (one) => plan.putNamespace(one),
    put: (one) => plan.put(one),
    putPod: (one) => plan.putPod(one),
    putEndpoint: (one) => plan.putEndpoint(one),
    settle: () => {
      plan.settle()
      return 0
    },
  }
}

/** All that a node has to know, ready to be sent to its switch. */
function nodePlan(): Plan {
  const planner = new NodePlanner(policyContext())
  return {
    putNamespace: (one) => planner.putNamespace(one),
    put: (one) => planner.putPolicy(one),
    putPod: (one) => planner.putPod(one),
    putEndpoint: (one) => planner.putEndpoint(one),
    settle: () => planner.flows().length,
  }
}

function peakMiB(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(line?.[1] ?? Number.NaN) / 1024
}

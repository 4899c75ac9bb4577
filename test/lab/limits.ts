/**
 * Limits of pods' bandwidth: asked for, and as agents tell them.
 * @module
 */
import type { LimitFact } from '../../src/agent/qos/limiter.ts'
import { BANDWIDTH_ANNOTATIONS } from '../../src/compat/kubernetes/bandwidth.ts'
import { EVENTS, PODS } from '../../src/kube/resources.ts'
import { BRIDGE } from '../../src/network/host.ts'
import type { Direction } from '../../src/network/model/bandwidth.ts'
import { FIRST_ENDPOINT_PORT } from '../../src/network/pipeline/stages.ts'
import { eventually, type Lab } from './lab.ts'

/** Sets annotations of a pod; null removes one. */
export async function ask(lab: Lab, pod: string, wishes: { readonly [D in Direction]: string | null }): Promise<void> {
  const [namespace = '', name = ''] = pod.split('/')
  const annotations = {
    [BANDWIDTH_ANNOTATIONS.toPod]: wishes.toPod,
    [BANDWIDTH_ANNOTATIONS.fromPod]: wishes.fromPod,
  }
  await lab.api().patch(PODS, { namespace, name }, 'merge', { metadata: { annotations } })
}

/** Waits until the kernel holds a pod to these rates. */
export async function inForce(lab: Lab, pod: string, rates: { readonly [D in Direction]: number }): Promise<void> {
  await factsOf(
    lab,
    pod,
    (fact) => fact.inForce.toPod?.rate === rates.toPod && fact.inForce.fromPod?.rate === rates.fromPod,
  )
}

export async function factsOf(
  lab: Lab,
  pod: string,
  holds: (fact: LimitFact) => boolean = () => true,
): Promise<LimitFact> {
  let found: LimitFact | undefined
  await eventually(`${pod} is held as it should be`, async () => {
    const all = await limitsOf(lab)
    found = all.find((fact) => `${fact.namespace}/${fact.pod}` === pod && holds(fact))
    return found !== undefined
  })
  if (found === undefined) throw new Error(pod)
  return found
}

/** What an agent says; nothing while it is being started. */
export async function limits(lab: Lab, node: number): Promise<readonly LimitFact[]> {
  return lab
    .agent(node)
    .bandwidth()
    .catch(() => [])
}

export async function isReady(lab: Lab, node: number): Promise<boolean> {
  return lab
    .agent(node)
    .status()
    .then(
      ({ ready }) => ready,
      () => false,
    )
}

export async function messages(lab: Lab, namespace: string): Promise<readonly string[]> {
  const { items } = await lab.api().list(EVENTS, { namespace })
  return items.map((event) => String(event['message']))
}

/** Whether the switch has a meter of an endpoint's. */
export async function meter(lab: Lab, node: 'node1', expected: boolean): Promise<void> {
  const place = lab.node(Number(node.slice(4)))
  await eventually(`${node} has ${expected ? 'a' : 'no'} meter`, async () => {
    const text = await lab.ovs(place, 'ovs-ofctl', '-O', 'OpenFlow15', 'dump-meters', `${place.ovsDir}/${BRIDGE}.mgmt`)
    const ids = [...text.matchAll(/meter=(\d+)/g)].map(([, id]) => Number(id))
    return ids.some((id) => id >= FIRST_ENDPOINT_PORT) === expected
  })
}

export function shown(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} Mbit/s`
}

export async function limitsOf(lab: Lab): Promise<readonly LimitFact[]> {
  return (await Promise.all(lab.nodes().map((n) => limits(lab, n)))).flat()
}

/**
 * Makes the cluster what a world of the table says, with kubectl and by what is different.
 * @module
 */
import { weftBindings } from '../../../src/compat/bindings.ts'
import type { KubeBinding } from '../../../src/kube/binding.ts'
import { BITS, type Cidr, cidr, familyOf, firstIp, type Ip, prefixLength } from '../../../src/network/model/address.ts'
import type { Pod } from '../../../src/network/model/pod.ts'
import {
  type Peer,
  type Policy,
  type PolicyKind,
  type PolicyRule,
  policyKey,
} from '../../../src/network/model/policy.ts'
import { NODES } from '../../tables/policy/objects.ts'
import { podKey, type World } from '../../tables/policy/world.ts'
import type { Cluster } from '../cluster.ts'
import { waitFor } from '../programs.ts'
import { type ApiWorld, readWorld, resourceName } from './api-world.ts'
import { namespaceObject, podObject, serviceObject } from './pods.ts'

/** What steps can change. */
export type Parts = Pick<World, 'policies' | 'namespaces' | 'pods'>

/** What came of it. */
export interface Steered {
  /** When kubectl came back from the last of the commands, in milliseconds since 1970. */
  readonly at: number
  /** Pods that are others than before. */
  readonly remade: readonly Pod[]
}

/** A world of nobody. */
export const NOTHING: Parts = { policies: [], namespaces: [], pods: [] }

/** Leads from one world to another. `known` is what the API server had before: addresses are taken from there. */
export async function steer(rig: Cluster, before: Parts, after: Parts, known: ApiWorld): Promise<Steered> {
  const remade = after.pods.filter(
    (pod) =>
      !isSamePod(
        before.pods.find((old) => podKey(old) === podKey(pod)),
        pod,
      ),
  )
  const gone = before.pods.filter((old) => !after.pods.some((pod) => podKey(pod) === podKey(old)))
  const ended = [...gone, ...remade.filter((pod) => before.pods.some((old) => podKey(old) === podKey(pod)))]
  for (const { namespace, name } of ended) await rig.ask('delete', 'pod', name, '-n', namespace, '--wait=true')
  await applyAll(rig, [
    ...changed(before.namespaces, after.namespaces, ({ name }) => name).map(namespaceObject),
    ...remade.flatMap((pod) => [podObject(pod), serviceObject(pod)]),
  ])
  if (remade.length > 0) await settled(rig, remade)
  const world = remade.length > 0 ? await readWorld(rig) : known
  const forgotten = before.policies.filter((old) => !after.policies.some((one) => policyKey(one) === policyKey(old)))
  await deleteAll(rig, forgotten)
  await applyAll(rig, [
    ...changed(before.pods, after.pods, podKey)
      .filter((pod) => !remade.includes(pod))
      .map(podObject),
    ...changed(before.policies, after.policies, policyKey).map((one) => policyObject(translated(one, after, world))),
  ])
  return { at: Date.now(), remade }
}

/** A policy as an object. */
export function policyObject(policy: Policy): object {
  const binding = weftBindings[policy.kind] as unknown as KubeBinding<PolicyKind>
  return binding.encode(policy as never)
}

/** A pod's uid changes with its node and its addresses. Its labels are no reason to make another one. */
function isSamePod(old: Pod | undefined, pod: Pod): boolean {
  return old !== undefined && old.uid === pod.uid && old.node === pod.node
}

function changed<T>(before: readonly T[], after: readonly T[], key: (one: T) => string): readonly T[] {
  const old = new Map(before.map((one) => [key(one), one]))
  return after.filter((one) => !Bun.deepEquals(old.get(key(one)), one))
}

async function applyAll(rig: Cluster, objects: readonly object[]): Promise<void> {
  if (objects.length > 0) await rig.apply(...objects)
}

/** Policies of one namespace or none, a command for each kind. */
async function deleteAll(rig: Cluster, policies: readonly Policy[]): Promise<void> {
  for (const [place, some] of Map.groupBy(policies, ({ kind, namespace }) => `${kind}/${namespace ?? ''}`)) {
    const [kind = '', namespace = ''] = place.split('/')
    const where = namespace === '' ? [] : ['-n', namespace]
    await rig.ask('delete', resourceName(kind as PolicyKind), ...where, ...some.map(({ name }) => name))
  }
}

interface SliceObject {
  readonly metadata: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null
}

/** Waits until pods run and their services lead to them: what comes after is the network's time, not Kubernetes'. */
async function settled(rig: Cluster, pods: readonly Pod[]): Promise<void> {
  for (const [namespace, some] of Map.groupBy(pods, (pod) => pod.namespace)) {
    const names = some.map(({ name }) => `pod/${name}`)
    await rig.ask('-n', namespace, 'wait', ...names, '--for=condition=Ready', '--timeout=90s')
  }
  await waitFor('services lead to their pods', async () => {
    const [world, { items }] = await Promise.all([
      readWorld(rig),
      rig.get<{ readonly items: readonly SliceObject[] }>('endpointslices', '-A'),
    ])
    return pods.every((pod) => {
      const now = world.pods.find((one) => podKey(one) === podKey(pod))
      const served = items
        .filter(({ metadata }) => metadata.namespace === pod.namespace)
        .filter(({ metadata }) => metadata.labels['kubernetes.io/service-name'] === pod.name)
        .flatMap(({ endpoints }) => endpoints?.flatMap(({ addresses }) => addresses) ?? [])
      return now?.addresses.length === 2 && Bun.deepEquals([...now.addresses].sort(), served.sort())
    })
  })
}

/** A policy whose ranges are what the same nodes and pods have here. */
function translated(policy: Policy, { pods }: Parts, known: ApiWorld): Policy {
  const here = (network: Cidr): Cidr => {
    const family = familyOf(firstIp(network))
    const node = NODES.find(({ ranges }) => ranges.includes(network))
    const home = known.nodes.find((one) => one.node === node?.node)
    const range = home?.ranges.find((one) => familyOf(firstIp(one)) === family)
    if (range !== undefined) return range
    const model = pods.find(({ addresses }) => isOnly(network, addresses))
    const real = known.pods.find((pod) => model !== undefined && podKey(pod) === podKey(model))
    const own = real?.addresses.find((one) => familyOf(one) === family)
    return own === undefined ? network : cidr(`${own}/${prefixLength(network)}`)
  }
  const peer = (one: Peer): Peer =>
    one.type === 'range' ? { ...one, range: here(one.range), except: one.except.map(here) } : one
  const rule = (one: PolicyRule): PolicyRule => (one.peers === undefined ? one : { ...one, peers: one.peers.map(peer) })
  return {
    ...policy,
    ...(policy.ingress === undefined ? {} : { ingress: policy.ingress.map(rule) }),
    ...(policy.egress === undefined ? {} : { egress: policy.egress.map(rule) }),
  }
}

/** Whether a network is one of these addresses and no other. */
function isOnly(network: Cidr, addresses: readonly Ip[]): boolean {
  const first = firstIp(network)
  return prefixLength(network) === BITS[familyOf(first)] && addresses.includes(first)
}

/**
 * Pod as the Kubernetes API has it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { PODS } from '../../kube/resources.ts'
import type { HostPort, NamedPort, Pod } from '../../network/model/pod.ts'
import { at, labelsIn, listAt, nameOf, optionalField, qualifiedNameOf, textAt } from '../fields.ts'
import { type MergePatch, namespacedPlace, objectOf } from '../merge.ts'
import { bandwidthAnnotations, bandwidthIn } from './bandwidth.ts'
import { controllerIn, ownersOf } from './owner.ts'
import { wishesIn } from './wishes.ts'

/** Pods that have run to their end keep their addresses on paper; others may have got them since. */
export const ENDED: readonly unknown[] = ['Succeeded', 'Failed']

/** On the copy of a static pod: the uid of that pod. Kubelets run nothing that bears it without having the original. */
export const MIRROR = 'kubernetes.io/config.mirror'

/** Pod ↔ Pod. One on the node's own network is none of ours. The API server gives the uid; addresses are status. */
export const podBinding: KubeBinding<'Pod'> = {
  resource: PODS,
  place: namespacedPlace,
  nameOf: (object) => (at(object, 'spec', 'hostNetwork') === true ? undefined : qualifiedNameOf(object)),
  decode,
  encode: (pod) => objectOf(PODS, { name: pod.name, namespace: pod.namespace }, { ...newSpec(pod), ...status(pod) }),
  patch: ({ node, bandwidth }) => ({ ...annotations(bandwidth), ...(node === '' ? {} : { spec: { nodeName: node } }) }),
  statusPatch: status,
}

function decode(object: KubeObject): unknown {
  const hasEnded = ENDED.includes(at(object, 'status', 'phase'))
  return {
    namespace: at(object, 'metadata', 'namespace'),
    name: nameOf(object),
    // What its container runtime was told: of a pod that a kubelet had of itself, the API keeps a copy with another uid.
    uid: textAt(object, 'metadata', 'annotations', MIRROR) ?? at(object, 'metadata', 'uid'),
    node: at(object, 'spec', 'nodeName') ?? '',
    addresses: hasEnded ? [] : addressesIn(object),
    ...optionalField('bandwidth', bandwidthIn(object)),
    ...optionalField('hostPorts', hasEnded ? undefined : hostPortsIn(object)),
    ...optionalField('labels', labelsIn(object)),
    ...optionalField('namedPorts', hasEnded ? undefined : namedPortsIn(object)),
    ...optionalField('wishes', wishesIn(object)),
    ...optionalField('controller', controllerIn(object)),
    ...optionalField('isEnding', hasEnded || at(object, 'metadata', 'deletionTimestamp') !== undefined || undefined),
  }
}

/** What cannot be a port is nothing that a policy could mean: it makes no pod unreadable. */
function namedPortsIn(object: KubeObject): readonly unknown[] | undefined {
  const named = portsIn(object).flatMap((one) => {
    const [name, protocol, port] = [at(one, 'name'), at(one, 'protocol') ?? 'TCP', at(one, 'containerPort')]
    const isName = typeof name === 'string' && name !== '' && name.length <= MAX_PORT_NAME
    const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535
    return isName && isPort && PROTOCOLS.includes(protocol) ? [{ name, protocol, port }] : []
  })
  return named.length === 0 ? undefined : named
}

const MAX_PORT_NAME = 63
const PROTOCOLS: readonly unknown[] = ['TCP', 'UDP', 'SCTP']

/** Of containers, and of init containers that go on running. */
function portsIn(object: KubeObject): readonly unknown[] {
  const sidecars = listAt(object, 'spec', 'initContainers').filter((one) => at(one, 'restartPolicy') === 'Always')
  return [...listAt(object, 'spec', 'containers'), ...sidecars].flatMap((one) => listAt(one, 'ports'))
}

/** Of a pod that asks for very many the first are enough to tell of. */
const MOST_HOST_PORTS = 32

/** As kubelets tell their runtime. */
function hostPortsIn(object: KubeObject): readonly unknown[] | undefined {
  const asked = portsIn(object).filter((port) => (at(port, 'hostPort') ?? 0) !== 0)
  if (asked.length === 0) return undefined
  return asked.slice(0, MOST_HOST_PORTS).map((port) => ({
    port: at(port, 'hostPort'),
    protocol: at(port, 'protocol') ?? 'TCP',
  }))
}

function addressesIn(object: KubeObject): readonly unknown[] {
  const all = listAt(object, 'status', 'podIPs').map((one) => at(one, 'ip'))
  const only = textAt(object, 'status', 'podIP')
  return all.length > 0 || only === undefined ? all : [only]
}

/** The least that the API takes for a pod. That it ends is not for its maker to say. */
function newSpec({ node, bandwidth, hostPorts = [], labels, namedPorts = [], wishes, controller }: Pod): MergePatch {
  const ports = [...hostPorts.map(portOf), ...namedPorts.map(namedPortOf)]
  const main = { name: 'main', image: 'none', ...(ports.length === 0 ? {} : { ports }) }
  return {
    metadata: {
      annotations: { ...wishes, ...bandwidthAnnotations(bandwidth) },
      ...optionalField('labels', labels),
      ...ownersOf(controller),
    },
    spec: { nodeName: node === '' ? null : node, containers: [main] },
  }
}

function namedPortOf({ name, protocol, port }: NamedPort): MergePatch {
  return { name, protocol, containerPort: port }
}

function portOf({ port, protocol }: HostPort): MergePatch {
  return { hostPort: port, containerPort: port, protocol }
}

function annotations(bandwidth: Pod['bandwidth']): MergePatch {
  return { metadata: { annotations: bandwidthAnnotations(bandwidth) } }
}

function status({ addresses }: Pod): MergePatch {
  return { status: { podIP: addresses[0] ?? null, podIPs: addresses.map((ip) => ({ ip })) } }
}

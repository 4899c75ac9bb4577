/**
 * Calls of a runtime for a pod, and what they are resolved by, for tests.
 * @module
 */
import {
  type AddRequest,
  type CheckRequest,
  type CniResult,
  type DelRequest,
  encodeResult,
  parseRequest,
} from '../../../cni/index.ts'
import type { AttachmentDefinition } from '../../../network/model/definition.ts'
import type { Pod } from '../../../network/model/pod.ts'
import type { NetworkDefaults, ResolveParts } from '../resolve.ts'

/** What a runtime sets for pod shop/cart. */
const ENVIRONMENT = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/p1',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart;K8S_POD_UID=u1',
}

/** ADD of the network `weft`, or with another configuration. */
export function addCall(config: object = { cniVersion: '1.0.0', name: 'weft', type: 'weft' }): AddRequest {
  return parse('ADD', config) as AddRequest
}

/** The DEL of {@link addCall}. */
export function delCall(config: object = { cniVersion: '1.0.0', name: 'weft', type: 'weft' }): DelRequest {
  return parse('DEL', config) as DelRequest
}

/** The CHECK of {@link addCall}, which answered this. */
export function checkCall(result: CniResult): CheckRequest {
  const prevResult = encodeResult(result, '1.0.0')
  return parse('CHECK', { cniVersion: '1.0.0', name: 'weft', type: 'weft', prevResult }) as CheckRequest
}

function parse(verb: string, config: object) {
  return parseRequest({ ...ENVIRONMENT, CNI_COMMAND: verb }, new TextEncoder().encode(JSON.stringify(config)))
}

/** Pod shop/cart with these annotations. */
export function podWith(wishes: Readonly<Record<string, string>>): Pod {
  return { namespace: 'shop', name: 'cart', uid: 'u1', node: 'node1', addresses: [], wishes }
}

/** What networks are resolved by: these definitions, by `<namespace>/<name>`, and `kube-system` trusted. */
export function resolvingBy(
  definitions: Readonly<Record<string, object | string>>,
  defaults: Partial<NetworkDefaults> = {},
): ResolveParts {
  const find = async (namespace: string, name: string): Promise<AttachmentDefinition | undefined> => {
    const config = definitions[`${namespace}/${name}`]
    if (config === undefined) return undefined
    return { namespace, name, config: typeof config === 'string' ? config : JSON.stringify(config) }
  }
  return {
    definitions: { find, isEmpty: Object.keys(definitions).length === 0 },
    grants: {
      trustedNamespaces: new Set(['kube-system']),
      types: new Set(['weft', 'ovs', 'spiderpool', 'coordinator']),
      bridges: [],
    },
    networksPerPod: 16,
    defaults: { namespace: 'kube-system', configDir: '/nonexistent', defaultNetworks: [], ...defaults },
  }
}

import { parseDefaultNetwork, parseNetworks } from '../../multus/networks.ts'
import { DEFAULT_NETWORK, NETWORKS } from '../../multus/selection.ts'
import type { PoolQuestion, SelectionSettings } from './question.ts'

/** The name that a pod's first interface has. */
const FIRST = 'eth0'

/**
 * The definition of an interface's network as `<namespace>/<name>`, as pools' `multusName` has it; undefined where nothing
 * says which. A name without a namespace is of the install namespace for the first interface, of the pod's for others.
 * Throws `annotation-invalid`.
 */
export function definitionOf(
  { ifname, ordinal, pod, definition }: PoolQuestion,
  { installNamespace, clusterNetwork }: SelectionSettings,
): string | undefined {
  if (definition !== undefined) return definition
  const { wishes = {} } = pod
  if (ifname !== FIRST && ordinal > 0) {
    const networks = parseNetworks(wishes[NETWORKS] ?? '', pod.namespace)
    const found = networks.find((network, index) => (network.ifname ?? `net${index + 1}`) === ifname)
    return found && `${found.namespace}/${found.name}`
  }
  const text = wishes[DEFAULT_NETWORK]
  if (text === undefined) return clusterNetwork && withNamespace(clusterNetwork, installNamespace)
  const { namespace, name } = parseDefaultNetwork(text, installNamespace)
  return `${namespace}/${name}`
}

/** A definition as pools name it, whole. */
export function withNamespace(name: string, installNamespace: string): string {
  return name.includes('/') ? name : `${installNamespace}/${name}`
}

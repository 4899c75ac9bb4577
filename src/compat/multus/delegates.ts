/**
 * Which networks a pod is attached to, in which order, under which interface names, and whose default route it has
 * (Multus 4: `ADD order`, `default-route`).
 * @module
 */
import { cniError } from '../../cni/errors.ts'
import type { Family } from '../../network/model/address.ts'
import { type DefaultRoutes, defaultRoutesOf } from './default-route.ts'
import { refusedAt } from './errors.ts'
import type { NetworkSelection } from './selection.ts'

/** What a pod's networks are chosen by. */
export interface DelegateInputs {
  /** What the runtime calls the pod's first interface (CNI_IFNAME). */
  readonly ifname: string
  /** The administrator's words: the name of a definition, a network of a file, or a path. */
  readonly clusterNetwork: string
  /** As {@link clusterNetwork}; for every pod but those of system namespaces. */
  readonly defaultNetworks: readonly string[]
  /** In place of the cluster's network. */
  readonly defaultNetwork?: NetworkSelection
  readonly wishes: readonly NetworkSelection[]
}

/** One network of a pod. */
export interface DelegatePlan extends DefaultRoutes {
  /** Which of the pod's interfaces it is: 0 for its first. */
  readonly ordinal: number
  readonly ifname: string
  /** It is the pod's first: its result answers the runtime, and what the runtime asks for is asked of it. */
  readonly isFirst: boolean
  readonly network:
    | { readonly kind: 'configured'; readonly name: string }
    | { readonly kind: 'selected'; readonly selection: NetworkSelection }
}

/**
 * The networks in the order they are attached in: the cluster's or the one in its place, the default ones, those the pod
 * asks for. An interface without a name of its own is `net<index in the whole list>`. Throws `annotation-invalid` for a
 * name that another interface has, and for two default routes of one family.
 */
export function delegatesOf(inputs: DelegateInputs): readonly DelegatePlan[] {
  const networks = networksOf(inputs)
  const names = networks.map((network, index) => nameOf(network, index, inputs.ifname))
  checkNames(networks, names)
  const routes = defaultRoutesOf(networks.map(selectionOf))
  return networks.map((network, ordinal) => ({
    ordinal,
    ifname: names[ordinal] ?? '',
    isFirst: ordinal === 0,
    network,
    ...(routes[ordinal] ?? NO_ROUTES),
  }))
}

type Network = DelegatePlan['network']

const NO_ROUTES: DefaultRoutes = { droppedDefaults: [] as readonly Family[], gateways: [] }

function networksOf({ clusterNetwork, defaultNetworks, defaultNetwork, wishes }: DelegateInputs): readonly Network[] {
  const configured = (name: string): Network => ({ kind: 'configured', name })
  const selected = (selection: NetworkSelection): Network => ({ kind: 'selected', selection })
  const first = defaultNetwork === undefined ? configured(clusterNetwork) : selected(defaultNetwork)
  return [first, ...defaultNetworks.map(configured), ...wishes.map(selected)]
}

function nameOf(network: Network, index: number, ifname: string): string {
  if (index > 0) return selectionOf(network)?.ifname ?? `net${index}`
  const wanted = selectionOf(network)
  if (wanted?.ifname !== undefined && wanted.ifname !== ifname) {
    throw refusedAt(wanted.place, 'interface', `must be ${ifname}, which the container runtime asks for`)
  }
  return ifname
}

/** A name that somebody asked for gives way to none: which of two had it would be chance. */
function checkNames(networks: readonly Network[], names: readonly string[]): void {
  const taken = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    const other = taken.get(name)
    if (other !== undefined) throw nameTaken(networks, name, [other, index])
    taken.set(name, index)
  }
}

function nameTaken(networks: readonly Network[], name: string, [one, other]: readonly [number, number]): Error {
  const asking = [other, one].find((index) => selectionOf(networks[index])?.ifname !== undefined)
  const place = selectionOf(networks[asking ?? other])?.place
  const expected = `must not be ${name}, which interface ${asking === one ? other : one} of the pod is called`
  if (place !== undefined) return refusedAt(place, 'interface', expected)
  // Only a runtime that calls the first interface as we call later ones comes here.
  return cniError('environment-invalid', { name: 'CNI_IFNAME', value: name, expected })
}

function selectionOf(network: Network | undefined): NetworkSelection | undefined {
  return network?.kind === 'selected' ? network.selection : undefined
}

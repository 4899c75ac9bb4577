/**
 * What an ADD may ask for: checked before anything is taken.
 * @module
 */
import { type AddRequest, cniError, ignoresUnknown } from '../../cni/index.ts'
import type { NodeContext } from '../../network/context.ts'

/** What ADD decides from a request alone. */
export interface AddTerms {
  /** The tenant's namespace. */
  readonly namespace: string
  /** MTU of the pod's interface in bytes. */
  readonly mtu: number
}

/** The terms of an ADD. Throws for what is missing, out of bounds, or not there yet: refused by name, never ignored. */
export function termsOf(request: AddRequest, context: NodeContext): AddTerms {
  refuseUnsupported(request)
  return { namespace: namespaceOf(request), mtu: mtuOf(request, context) }
}

function namespaceOf({ config, args }: AddRequest): string {
  const namespace = config.namespace ?? args.pod?.namespace
  if (namespace !== undefined) return namespace
  throw cniError('config-invalid', {
    field: 'namespace',
    expected: 'the namespace of the tenant, because the runtime names no pod (K8S_POD_NAMESPACE in CNI_ARGS)',
  })
}

function mtuOf({ config }: AddRequest, context: NodeContext): number {
  const asked = config.mtu ?? context.mtu
  if (asked <= context.mtu) return asked
  throw cniError('config-invalid', { field: 'mtu', expected: `at most ${context.mtu} on this network` })
}

function refuseUnsupported({ config, args: { pairs }, prevResult }: AddRequest): void {
  const { runtime } = config
  if (runtime.mac !== undefined) throw cniError('unsupported-field', { key: 'runtimeConfig.mac', value: runtime.mac })
  const key = ['IP', 'MAC', 'OvnPort'].find((one) => pairs.has(one))
  if (key !== undefined && !ignoresUnknown(pairs))
    throw cniError('unsupported-field', { key: `${key} in CNI_ARGS`, value: pairs.get(key) ?? '' })
  const [address] = [...runtime.ips, ...config.args.ips]
  if (address !== undefined) throw cniError('unsupported-field', { key: 'runtimeConfig.ips', value: address })
  if (runtime.bandwidth !== undefined) {
    throw cniError('unsupported-field', { key: 'runtimeConfig.bandwidth', value: JSON.stringify(runtime.bandwidth) })
  }
  if (config.ipamType !== undefined) throw cniError('unsupported-field', { key: 'ipam.type', value: config.ipamType })
  if (prevResult !== undefined) {
    throw cniError('config-invalid', { field: 'prevResult', expected: 'none: Weft is the first plugin of a chain' })
  }
}

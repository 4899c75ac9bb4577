/**
 * Which security groups of Neutron's a pod asks for: by its annotation, else by its namespace's.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import { type Namespace, type Pod, WISH_TOO_LONG } from '../../../network/model/pod.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { LocalPods } from '../../networks/local-pods.ts'
import type { PluginCall } from '../plugin.ts'

/** The annotation, of a pod and of a namespace. */
export const SECURITY_GROUPS = 'weft.dev/security-groups'

/** Who knows what pods ask for. */
export interface GroupSources {
  readonly pods: Pick<LocalPods, 'find'>
  readonly registry: Pick<Registry, 'get'>
  /** One that a watch has told of. */
  namespace(name: string): Namespace | undefined
}

/** As many as PortUse holds of a wish. */
export const MOST_GROUPS = 64

/**
 * Names or ids, sorted, each once; undefined for those of the network. An annotation of a pod that is empty asks for those of the network,
 * whatever its namespace says. Throws `annotation-invalid`, `namespace-annotation-invalid`, and `pod-unknown-yet` where nobody can say.
 */
export async function groupsFor(
  { args }: Pick<PluginCall, 'args'>,
  sources: GroupSources,
): Promise<readonly string[] | undefined> {
  if (args.pod === undefined) return undefined
  const pod: Pod | undefined = await sources.pods.find(args.pod)
  const own = pod?.wishes?.[SECURITY_GROUPS]
  if (own !== undefined) {
    return groupsIn(own, (field, expected) =>
      cniError('annotation-invalid', { annotation: SECURITY_GROUPS, field, expected }),
    )
  }
  const namespace = args.pod.namespace
  const text = (await namespaceOf(namespace, args.pod.name, sources))?.securityGroups
  if (text === undefined) return undefined
  return groupsIn(text, (field, expected) =>
    cniError('namespace-annotation-invalid', { annotation: SECURITY_GROUPS, namespace, field, expected }),
  )
}

/** Text such as `web, db`. */
function groupsIn(text: string, refusal: (field: string, expected: string) => Error): readonly string[] | undefined {
  if (text === WISH_TOO_LONG) throw refusal('its text', 'is longer than anybody reads')
  if (text.trim() === '') return undefined
  const groups = [...new Set(text.split(',').map((one) => one.trim()))].toSorted()
  const wrong = groups.find((one) => !/^[^\p{Cc}]{1,255}$/u.test(one))
  if (wrong !== undefined) throw refusal(JSON.stringify(wrong.slice(0, 40)), 'is no name of a security group')
  if (groups.length > MOST_GROUPS) throw refusal('its text', `must not name more than ${MOST_GROUPS} groups`)
  return groups
}

/** One that no watch has told of yet is asked for. */
async function namespaceOf(
  name: string,
  pod: string,
  { namespace, registry }: GroupSources,
): Promise<Namespace | undefined> {
  const known = namespace(name)
  if (known !== undefined) return known
  try {
    return (await registry.get('Namespace', name))?.value
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw cniError('pod-unknown-yet', { pod: `${name}/${pod}`, reason })
  }
}

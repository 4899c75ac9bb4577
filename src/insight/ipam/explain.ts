/**
 * Which pools an interface of a pod gets its addresses from, and why: the choice that its agent makes, made once more.
 * @module
 */
import { spiderpoolNetconf } from '../../agent/plugins/spiderpool/netconf.ts'
import { CniError } from '../../cni/errors.ts'
import { asObject, decodeJson, type JsonObject, member, optionalObject } from '../../cni/json.ts'
import { parseNetworks } from '../../compat/multus/networks.ts'
import { NETWORKS } from '../../compat/multus/selection.ts'
import { definitionOf } from '../../compat/spiderpool/selection/definition.ts'
import type {
  KnownPools,
  PoolQuestion,
  PoolSelection,
  SelectionSettings,
} from '../../compat/spiderpool/selection/question.ts'
import { selectPools } from '../../compat/spiderpool/selection/select.ts'
import { SOURCE_TEXTS } from '../../compat/spiderpool/selection/sources.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Registry } from '../../registry/registry.ts'
import { InsightError } from '../errors.ts'
import { lookAtPools } from './pools.ts'
import type { IpamView } from './view.ts'

/** What an interface gets, and why. */
export interface ChoiceLook {
  readonly pod: string
  readonly node: string
  readonly interface: string
  /** The attachment definition, where something names one. */
  readonly network?: string
  /** What names the pools, for people. */
  readonly source?: string
  readonly families: readonly FamilyLook[]
  /** What it has now: `<address> of <pool>`. */
  readonly has: readonly string[]
  /** Why there is no choice. */
  readonly problem?: { readonly message: string; readonly remedy: string }
}

/** The choice for one family. */
export interface FamilyLook {
  readonly family: 4 | 6
  readonly asked: readonly string[]
  /** In the order in which they are tried. */
  readonly candidates: readonly { readonly pool: string; readonly free: bigint }[]
  readonly filtered: readonly { readonly pool: string; readonly reason: string }[]
}

/** Explains an interface of the pod `<namespace>/<name>`. Throws `INSIGHT_NAME_UNKNOWN`. */
export async function explainChoice(
  registry: Registry,
  view: IpamView,
  key: string,
  ifname: string,
  settings: SelectionSettings,
): Promise<ChoiceLook> {
  const pod = (await registry.get('Pod', key))?.value
  if (pod === undefined) {
    throw new InsightError(
      'INSIGHT_NAME_UNKNOWN',
      `there is no pod ${key} with a network of its own`,
      'kubectl get pods -A tells which there are',
    )
  }
  const has = view.claims
    .filter(
      ({ value }) => `${value.namespace}/${value.pod}` === key && value.podUid === pod.uid && value.ifname === ifname,
    )
    .map(({ value }) => `${value.address} of ${value.pool}`)
  const head = { pod: key, node: pod.node, interface: ifname, has }
  try {
    const question = await questionOf(registry, pod, ifname, settings)
    const network = question.definition
    const selection = selectPools(question, poolsOf(view), settings)
    const families = familiesOf(selection, view)
    const source = SOURCE_TEXTS[selection.source]
    return { ...head, ...(network === undefined ? {} : { network }), source, families }
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    return { ...head, families: [], problem: { message: error.message, remedy: error.remedy } }
  }
}

/** Whether every family that is asked for has a pool with an address left. */
export function isServed({ families, problem, has }: ChoiceLook): boolean {
  if (problem !== undefined || families.length === 0) return false
  return has.length >= families.length || families.every(({ candidates }) => candidates.some(({ free }) => free > 0n))
}

async function questionOf(
  registry: Registry,
  pod: Pod,
  ifname: string,
  settings: SelectionSettings,
): Promise<PoolQuestion> {
  const [namespace, node] = await Promise.all([
    registry.get('Namespace', pod.namespace),
    pod.node === '' ? undefined : registry.get('Node', pod.node),
  ])
  const base: PoolQuestion = {
    ifname,
    ordinal: ordinalOf(pod, ifname),
    pod,
    namespace: namespace?.value ?? { name: pod.namespace },
    node: node?.value ?? { name: pod.node },
    defaults: { 4: [], 6: [] },
    hasCleanGateway: false,
  }
  const definition = definitionOf(base, settings)
  if (definition === undefined) return base
  const config = (await registry.get('AttachmentDefinition', definition))?.value.config
  return { ...base, definition, ...spiderpoolNetconf(interfaceConfigIn(config ?? '')) }
}

/** Which of the pod's interfaces it is. */
function ordinalOf({ wishes, namespace }: Pod, ifname: string): number {
  if (ifname === 'eth0') return 0
  const networks = parseNetworks(wishes?.[NETWORKS] ?? '', namespace)
  return networks.findIndex((network, index) => (network.ifname ?? `net${index + 1}`) === ifname) + 1
}

/** The part of a network's configuration that asks for addresses. What cannot be read asks for nothing. */
function interfaceConfigIn(text: string): JsonObject {
  try {
    const config = asObject(decodeJson(text === '' ? '{}' : text), 'config')
    const plugins = member(config, 'plugins')
    const parts = Array.isArray(plugins) ? plugins.map((part, index) => asObject(part, `plugins[${index}]`)) : [config]
    return parts.find((part) => optionalObject(part, 'ipam', 'ipam') !== undefined) ?? {}
  } catch {
    return {}
  }
}

function poolsOf({ pools }: IpamView): KnownPools {
  return {
    get: (name) => pools.get(name)?.pool,
    values: () => [...pools.values()].map(({ pool }) => pool),
    problemOf: (name) => pools.get(name)?.problem,
  }
}

function familiesOf({ choices }: PoolSelection, view: IpamView): readonly FamilyLook[] {
  const free = new Map(lookAtPools(view).map((look) => [look.name, look.free]))
  return choices.map(({ family, named, candidates, filtered }) => ({
    family,
    asked: named,
    candidates: candidates.map(({ name }) => ({ pool: name, free: free.get(name) ?? 0n })),
    filtered,
  }))
}

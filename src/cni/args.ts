import { cniError } from './errors.ts'

/** The pod a call is for, as kubelet's runtimes name it in CNI_ARGS. */
export interface PodReference {
  readonly namespace: string
  readonly name: string
  readonly uid: string | undefined
  readonly infraContainerId: string | undefined
}

/** CNI_ARGS: all pairs, and the pod if they name one. */
export interface CniArgs {
  readonly pairs: ReadonlyMap<string, string>
  readonly pod: PodReference | undefined
}

/** A call without CNI_ARGS. */
export const NO_ARGS: CniArgs = { pairs: new Map(), pod: undefined }

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'IgnoreUnknown',
  'K8S_POD_NAMESPACE',
  'K8S_POD_NAME',
  'K8S_POD_UID',
  'K8S_POD_INFRA_CONTAINER_ID',
  // Of plugins that give out addresses.
  'IP',
  // Of ovs-cni.
  'MAC',
  'OvnPort',
])

/**
 * Parses CNI_ARGS: `K=V` pairs between `;`, each with exactly one `=`; keys are case-sensitive, and one we do not know
 * is an error (code 4) unless `IgnoreUnknown` is `1` or `true`. Of a key given twice the last counts.
 */
export function parseArgs(text: string): CniArgs {
  if (text === '') return NO_ARGS
  const pairs = new Map(text.split(';').map(parsePair))
  const unknown = [...pairs.keys()].find((key) => !KNOWN_KEYS.has(key))
  if (unknown !== undefined && !ignoresUnknown(pairs)) {
    throw invalid(text, `unknown key ${unknown} without IgnoreUnknown=1`)
  }
  return { pairs, pod: podOf(pairs) }
}

/** CNI_ARGS as text. */
export function formatArgs({ pairs }: CniArgs): string {
  return [...pairs].map(([key, value]) => `${key}=${value}`).join(';')
}

function parsePair(pair: string): [string, string] {
  const [key, value, ...rest] = pair.split('=')
  if (key === undefined || key === '' || value === undefined || rest.length > 0) {
    throw invalid(pair, 'each pair must have a key and exactly one "="')
  }
  return [key, value]
}

/** Whether a plugin is to pass over keys that it does not know. */
export function ignoresUnknown(pairs: ReadonlyMap<string, string>): boolean {
  return ['1', 'true'].includes(pairs.get('IgnoreUnknown')?.toLowerCase() ?? '')
}

function podOf(pairs: ReadonlyMap<string, string>): PodReference | undefined {
  const namespace = pairs.get('K8S_POD_NAMESPACE')
  const name = pairs.get('K8S_POD_NAME')
  if (!namespace || !name) return undefined
  return {
    namespace,
    name,
    uid: pairs.get('K8S_POD_UID') || undefined,
    infraContainerId: pairs.get('K8S_POD_INFRA_CONTAINER_ID') || undefined,
  }
}

function invalid(value: string, expected: string): Error {
  return cniError('environment-invalid', { name: 'CNI_ARGS', value, expected })
}

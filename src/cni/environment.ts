import { type CniArgs, NO_ARGS, parseArgs } from './args.ts'
import { cniError } from './errors.ts'
import { ifnameFault, isName } from './formats.ts'
import { type CniVerb, isCniVerb } from './version.ts'

/** The CNI_ variables of one call, each unset one an empty string or undefined. Not validated beyond presence. */
export interface CniEnvironment {
  readonly verb: CniVerb
  /** Undefined when unset; empty when set to nothing. */
  readonly containerId: string | undefined
  readonly netns: string
  readonly ifname: string
  readonly args: string
  /** CNI_NETNS_OVERRIDE: CNI_NETNS may be the namespace of the node itself. */
  readonly allowHostNetns: boolean
  /** Folders in which plugins are looked up. */
  readonly path: readonly string[]
}

type Variable = 'CNI_CONTAINERID' | 'CNI_NETNS' | 'CNI_IFNAME' | 'CNI_PATH'

/** What each verb cannot do without, besides CNI_COMMAND. */
const REQUIRED: Readonly<Record<CniVerb, readonly Variable[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH'],
  GC: ['CNI_PATH'],
  STATUS: ['CNI_PATH'],
  VERSION: [],
}

/** Longer identifiers would not fit a file name or a label with a suffix. */
const MAX_CONTAINER_ID = 253
/** PATH_MAX of Linux, less the terminator. */
const MAX_NETNS = 4095

/**
 * Reads the environment, an object or a map of strings. Throws code 4 with every missing variable listed; an empty
 * variable counts as missing, except CNI_CONTAINERID, for which `checkContainerId` has an error of its own.
 */
export function readEnvironment(environment: unknown): CniEnvironment {
  const read = reader(environment)
  const verb = read('CNI_COMMAND') ?? ''
  if (verb === '') throw cniError('environment-missing', { names: 'CNI_COMMAND', verb: 'every call' })
  if (!isCniVerb(verb)) throw cniError('command-unknown', { value: verb })
  const missing = REQUIRED[verb].filter((name) => isMissing(name, read(name)))
  if (missing.length > 0) throw cniError('environment-missing', { names: missing.join(','), verb })
  return {
    verb,
    containerId: read('CNI_CONTAINERID'),
    netns: read('CNI_NETNS') ?? '',
    ifname: read('CNI_IFNAME') ?? '',
    args: read('CNI_ARGS') ?? '',
    allowHostNetns: ['TRUE', '1'].includes(read('CNI_NETNS_OVERRIDE')?.toUpperCase() ?? ''),
    path: (read('CNI_PATH') ?? '').split(':').filter((folder) => folder !== ''),
  }
}

/** The container's identifier. Throws code 3 if it is empty, 4 if it has characters an identifier has not. */
export function checkContainerId(id: string | undefined): string {
  if (id === undefined || id === '') throw cniError('container-id-empty')
  if (id.length <= MAX_CONTAINER_ID && isName(id)) return id
  const expected = `must begin with a letter or digit, hold only these and _ . -, and be ${MAX_CONTAINER_ID} long at most`
  throw cniError('environment-invalid', { name: 'CNI_CONTAINERID', value: id, expected })
}

/** The interface's name. Throws code 4 for a name Linux or the specification refuses. */
export function checkIfname(ifname: string): string {
  const fault = ifnameFault(ifname)
  if (fault === undefined) return ifname
  throw cniError('environment-invalid', { name: 'CNI_IFNAME', value: ifname, expected: fault })
}

/** The path of the network namespace. Throws code 4 for what cannot be a path. */
export function checkNetns(netns: string): string {
  if (netns.length <= MAX_NETNS && !netns.includes('\0')) return netns
  throw cniError('environment-invalid', { name: 'CNI_NETNS', value: netns, expected: 'must be a path' })
}

/** CNI_ARGS where a malformed one must not stop the call (DEL): none then. */
export function lenientArgs(text: string): CniArgs {
  try {
    return parseArgs(text)
  } catch {
    return NO_ARGS
  }
}

function isMissing(name: Variable, value: string | undefined): boolean {
  return value === undefined || (value === '' && name !== 'CNI_CONTAINERID')
}

function reader(environment: unknown): (name: string) => string | undefined {
  const entries = environment instanceof Map ? environment : new Map(entriesOf(environment))
  return (name) => {
    const value: unknown = entries.get(name)
    return typeof value === 'string' ? value : undefined
  }
}

function entriesOf(environment: unknown): readonly (readonly [string, unknown])[] {
  return typeof environment === 'object' && environment !== null ? Object.entries(environment) : []
}

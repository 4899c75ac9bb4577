/**
 * The plugin `portmap` of the CNI project (Debian's containernetworking-plugins), which publishes pods' `hostPort`.
 *
 * A list that names a plugin which is not there, or does not speak the list's version, breaks every pod. So it is asked
 * before it is named; never on a pod's path.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CniVersion } from '../../cni/index.ts'
import { AgentError } from '../errors.ts'

/** Where runtimes look for plugins unless they were told otherwise. */
export const DEFAULT_BIN_DIR = '/opt/cni/bin'
export const PORTMAP = 'portmap'
/** The versions in which runtimes are offered our network, oldest first. */
export const OFFERED = ['0.4.0', '1.0.0', '1.1.0'] as const satisfies readonly CniVersion[]

/** A plugin that can be run. */
export interface Portmap {
  /** Of the versions that we offer those that it speaks as well, oldest first; at least one. */
  readonly versions: readonly CniVersion[]
}

const PATIENCE_MS = 5_000
const MOST_OUTPUT = 1 << 16

/**
 * Asks the plugin in the runtime's folder which versions it speaks; resolves with an AGENT_HOST_PORTS that says why not
 * where it cannot be run there, or where this is not the runtime's folder: ours is not in it.
 * @param ours the name that the configuration calls our own plugin by
 * @param patienceMs so long it may take to answer
 */
export async function findPortmap(
  folder: string,
  ours: string,
  patienceMs: number = PATIENCE_MS,
): Promise<Portmap | AgentError> {
  const path = join(folder, PORTMAP)
  if (!existsSync(join(folder, ours))) {
    return unusable(`${folder} is not the runtime's folder of plugins: ${ours} is not there`, NAME_FOLDER)
  }
  if (!existsSync(path)) return unusable(`${path} is missing`, installIn(folder))
  try {
    const versions = versionsIn(await ask(path, patienceMs))
    if (versions.length > 0) return { versions }
    return unusable(`${path} speaks no version of CNI that Weft offers`, installIn(folder))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return unusable(`${path} cannot be run (${reason})`, installIn(folder), cause)
  }
}

/** What to type for a plugin to be in a folder. */
export function installIn(folder: string): string {
  const install = 'apt-get install containernetworking-plugins'
  return folder === DEBIAN ? install : `${install} && install ${DEBIAN}/${PORTMAP} ${folder}/`
}

/** Where Debian's package puts plugins. */
const DEBIAN = '/usr/lib/cni'
const NAME_FOLDER = 'name the folder: --cni-bin-dir'

/** What it prints. As runtimes do, this waits until nobody holds its output any more; but not for ever. */
async function ask(path: string, patienceMs: number): Promise<string> {
  const child = Bun.spawn([path], {
    env: { CNI_COMMAND: 'VERSION' },
    stdin: new TextEncoder().encode('{"cniVersion":"1.0.0"}'),
    stdout: 'pipe',
    stderr: 'ignore',
    // A process group of its own: what it starts can be ended with it.
    detached: true,
  })
  const output = child.stdout.getReader()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('it does not answer')), patienceMs)
  try {
    const text = await Promise.race([textIn(output), late.promise])
    const code = await Promise.race([child.exited, late.promise])
    if (code !== 0) throw new Error(`exit code ${code}`)
    return text
  } finally {
    clearTimeout(timer)
    // The number of one that has ended may be another's.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL')
    output.cancel().catch(() => undefined)
  }
}

interface Output {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>
}

async function textIn(output: Output): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for (let { value } = await output.read(); value !== undefined; { value } = await output.read()) {
    parts.push(value)
    size += value.length
    if (size > MOST_OUTPUT) throw new Error('it says more than a plugin has to say')
  }
  return Buffer.concat(parts).toString()
}

function versionsIn(answer: string): readonly CniVersion[] {
  const { supportedVersions: told } = Object(JSON.parse(answer)) as { readonly supportedVersions?: unknown }
  return Array.isArray(told) ? OFFERED.filter((version) => told.includes(version)) : []
}

function unusable(reason: string, remedy: string, cause?: unknown): AgentError {
  return new AgentError('AGENT_HOST_PORTS', reason, remedy, { cause })
}

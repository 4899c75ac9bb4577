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
 */
export async function findPortmap(folder: string, ours: string): Promise<Portmap | AgentError> {
  const path = join(folder, PORTMAP)
  if (!existsSync(join(folder, ours))) {
    return unusable(`${folder} is not the runtime's folder of plugins: ${ours} is not there`, NAME_FOLDER)
  }
  if (!existsSync(path)) return unusable(`${path} is missing`, installIn(folder))
  try {
    const versions = versionsIn(await ask(path))
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

async function ask(path: string): Promise<string> {
  const child = Bun.spawn([path], {
    env: { CNI_COMMAND: 'VERSION' },
    stdin: new TextEncoder().encode('{"cniVersion":"1.0.0"}'),
    stdout: 'pipe',
    stderr: 'ignore',
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_OUTPUT,
  })
  // What a killed program started may hold its output for ever.
  const output = new Response(child.stdout).text()
  const code = await child.exited
  if (code !== 0) throw new Error(child.signalCode === null ? `exit code ${code}` : 'it does not answer')
  return output
}

function versionsIn(answer: string): readonly CniVersion[] {
  const { supportedVersions: told } = Object(JSON.parse(answer)) as { readonly supportedVersions?: unknown }
  return Array.isArray(told) ? OFFERED.filter((version) => told.includes(version)) : []
}

function unusable(reason: string, remedy: string, cause?: unknown): AgentError {
  return new AgentError('AGENT_HOST_PORTS', reason, remedy, { cause })
}

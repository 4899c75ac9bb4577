/**
 * Plugins that are programs of the node, as steps like our own. They have no GC here: what they made for a pod is recorded
 * by us, and undone by DEL.
 * @module
 */
import { fstatSync, statSync } from 'node:fs'
import {
  addByProgram,
  callProgram,
  type ProgramCall,
  type ProgramOptions,
  versionsOf,
} from '../../cni/delegate/index.ts'
import {
  type CniResult,
  type CniVersion,
  cniError,
  encodeResult,
  formatArgs,
  isAtLeast,
  type JsonObject,
  versionHasVerb,
} from '../../cni/index.ts'
import type { PodNetns } from '../attach/endpoint-links.ts'
import { hasGap } from '../networks/accounts.ts'
import type { IpamPlugin, Plugin, PluginCall, PluginCallAfter } from './plugin.ts'

/** How programs are run. */
export type ProgramSettings = Pick<ProgramOptions, 'limits' | 'environment' | 'heard'>

/** A plugin that is the program of this name in the folders of each call. */
export function programPlugin(type: string, settings: ProgramSettings = {}): Plugin {
  return {
    add: (call, signal) => addByProgram(programCall(type, call), inputOf(call), call.version, { ...settings, signal }),
    async del(call) {
      if (call.accountsAway !== undefined && hasGap(call.config)) throw call.accountsAway
      await callProgram({ ...programCall(type, call), verb: 'DEL' }, inputOf(call, '0.4.0'), settings)
    },
    /** A configuration of a version without CHECK cannot be checked, as libcni has it, and passes. */
    async check(call) {
      if (!versionHasVerb(call.version, 'CHECK')) return
      await callProgram({ ...programCall(type, call), verb: 'CHECK' }, inputOf(call), settings)
    },
    async status({ config, version, path }) {
      // Programs that are older than STATUS have other complaints about it.
      await checkVersion(type, version, path, settings)
      if (versionHasVerb(version, 'STATUS')) await callProgram({ verb: 'STATUS', type, path }, config, settings)
    },
  }
}

/** A program that gives out addresses: called with the whole configuration of the plugin that makes the interface. */
export function programIpam(type: string, settings: ProgramSettings = {}): IpamPlugin {
  const program = programPlugin(type, settings)
  return {
    ...program,
    // What there is so far is not the program's to answer for; its answer is of no interface yet.
    add: async ({ prevResult: _, ...call }, signal) => addressesOf(await program.add(call, signal)),
  }
}

async function checkVersion(
  type: string,
  version: CniVersion,
  path: readonly string[],
  settings: ProgramSettings,
): Promise<void> {
  const versions = await versionsOf(type, path, settings)
  if (!versions.includes(version)) {
    throw cniError('incompatible-version', { version, supported: `${JSON.stringify(versions)} (${type})` })
  }
}

function addressesOf({ ips, routes, dns }: CniResult): CniResult {
  return { interfaces: [], ips: ips.map(({ interface: _, ...ip }) => ip), routes, dns }
}

function programCall(type: string, call: PluginCallAfter): Omit<ProgramCall, 'verb'> {
  const { containerId, ifname, netns, args, path } = call
  return {
    type,
    path,
    containerId,
    ifname,
    args: formatArgs(args),
    ...(netns === undefined ? {} : { netns: pathOf(netns) }),
  }
}

/** The path that the runtime knows the namespace by, unless it is another one's here. */
function pathOf({ fd, path }: PodNetns): string {
  const own = fstatSync(fd)
  try {
    const named = statSync(path)
    if (named.dev === own.dev && named.ino === own.ino) return path
  } catch {
    // The runtime's folders are not ours to see.
  }
  return `/proc/${process.pid}/fd/${fd}`
}

/** The step's configuration with the result so far, where the version has it: `since` for verbs that got it late. */
function inputOf({ config, network, version, prevResult }: PluginCall, since: CniVersion = '0.3.0'): JsonObject {
  const input: JsonObject = { ...config, name: network, cniVersion: version }
  if (prevResult === undefined || !isAtLeast(version, since)) return input
  return { ...input, prevResult: encodeResult(prevResult, version) }
}

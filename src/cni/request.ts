import { type CniArgs, parseArgs } from './args.ts'
import { type AttachmentKey, parseValidAttachments } from './attachments.ts'
import { readingConfig } from './config-fault.ts'
import {
  type CniEnvironment,
  checkContainerId,
  checkIfname,
  checkNetns,
  lenientArgs,
  readEnvironment,
} from './environment.ts'
import { CniError, cniError } from './errors.ts'
import { isName } from './formats.ts'
import { decodeJsonObject, type JsonObject, member, ShapeError } from './json.ts'
import { bareNetworkConfig, type NetworkConfig, parseNetworkConfig } from './netconf.ts'
import type { CniResult } from './result.ts'
import { parseResult } from './result-parse.ts'
import { CNI_VERSIONS, type CniVersion, IMPLIED_VERSION, isCniVersion, verbSince, versionHasVerb } from './version.ts'

/** What ADD and CHECK name: one interface of one container. */
interface AttachmentCall extends AttachmentKey {
  /** Path of the network namespace, as the runtime sees it. */
  readonly netns: string
  /** Set by the administrator of the runtime: `netns` may be the namespace of the node itself (else `netns-is-host`). */
  readonly allowHostNetns: boolean
  readonly args: CniArgs
  /** Folders in which plugins are looked up. */
  readonly path: readonly string[]
  readonly config: NetworkConfig
}

/** Attach. `prevResult` is that of the plugin before us in a chain. */
export interface AddRequest extends AttachmentCall {
  readonly verb: 'ADD'
  readonly prevResult: CniResult | undefined
}

/** Compare with `prevResult`, the final result of ADD. */
export interface CheckRequest extends AttachmentCall {
  readonly verb: 'CHECK'
  readonly prevResult: CniResult
}

/** Detach. Whatever the runtime has lost is undefined; the container and interface are always there. */
export interface DelRequest extends AttachmentKey {
  readonly verb: 'DEL'
  readonly netns: string | undefined
  readonly args: CniArgs
  readonly path: readonly string[]
  readonly config: NetworkConfig | undefined
  readonly prevResult: CniResult | undefined
}

/** Remove every attachment of the network but the valid ones. */
export interface GcRequest {
  readonly verb: 'GC'
  readonly path: readonly string[]
  readonly config: NetworkConfig
  readonly validAttachments: readonly AttachmentKey[]
}

/** Can an ADD be served now? */
export interface StatusRequest {
  readonly verb: 'STATUS'
  readonly path: readonly string[]
  readonly config: NetworkConfig
}

/** Which versions do you speak? */
export interface VersionRequest {
  readonly verb: 'VERSION'
  readonly requested: CniVersion | undefined
}

/** A validated call of a container runtime. */
export type CniRequest = AddRequest | CheckRequest | DelRequest | GcRequest | StatusRequest | VersionRequest

/** Larger configurations are refused, in bytes. */
export const MAX_INPUT = 1_048_576

/**
 * Parses one call: the environment (an object or a map of strings) and the bytes of standard input, both from strangers.
 * Throws `CniError` with the code the specification has for the fault, checked in this order: environment (4), size (5),
 * JSON and version's type (6), name (7), container (3, 4), interface (4), version (1), the rest of the configuration (7).
 *
 * DEL is lenient, as it must free what can be freed, and a runtime repeats one that failed for ever: of a malformed
 * `prevResult`, CNI_ARGS or key beyond name and version, only that part is missing from the request; an input that
 * cannot be read as a network's configuration (empty, too large, no JSON object, no name) counts as none.
 *
 * `read` says what of the configuration is the plugin's business: that of one that gives out addresses is another one's.
 */
export function parseRequest(
  environment: unknown,
  input: unknown,
  read: ConfigReader = parseNetworkConfig,
): CniRequest {
  const env = readEnvironment(environment)
  if (env.verb === 'DEL') return delRequest(env, readableBase(input, read))
  const bytes = readInput(input)
  if (env.verb === 'VERSION') return { verb: 'VERSION', requested: requestedVersion(bytes) }
  const base = decodeBase(bytes, read)
  return readingConfig(() => buildRequest(env, base))
}

/** The version an error about this input should carry, if the input says one. Never throws. */
export function requestedVersion(input: unknown): CniVersion | undefined {
  try {
    const version = member(decodeJsonObject(readInput(input)), 'cniVersion')
    return isCniVersion(version) ? version : undefined
  } catch {
    return undefined
  }
}

/** Reads a configuration; throws `ShapeError`. */
type ConfigReader = (raw: JsonObject, version: CniVersion, name: string) => NetworkConfig

interface ConfigBase {
  readonly read: ConfigReader
  readonly raw: JsonObject
  readonly version: string
  readonly name: string
}

interface CheckedBase extends ConfigBase {
  readonly version: CniVersion
}

function buildRequest(env: CniEnvironment, base: ConfigBase): CniRequest {
  const { verb, path } = env
  if (verb === 'ADD' || verb === 'CHECK') return attachmentRequest(env, verb, base)
  const checked = checkVersion(env, base)
  if (verb === 'GC') {
    const config = lenientConfig(checked)
    return { verb, path, config, validAttachments: parseValidAttachments(checked.raw) }
  }
  return { verb: 'STATUS', path, config: strictConfig(checked) }
}

function attachmentRequest(env: CniEnvironment, verb: 'ADD' | 'CHECK', base: ConfigBase): AddRequest | CheckRequest {
  const key = attachmentKey(env)
  const checked = checkVersion(env, base)
  const call = {
    ...key,
    netns: checkNetns(env.netns),
    allowHostNetns: env.allowHostNetns,
    args: parseArgs(env.args),
    path: env.path,
    config: strictConfig(checked),
  }
  const prevResult = previousResult(checked)
  if (verb === 'ADD') return { verb, ...call, prevResult }
  if (prevResult === undefined) throw cniError('previous-result-missing', { verb })
  return { verb, ...call, prevResult }
}

function delRequest(env: CniEnvironment, base: ConfigBase | undefined): DelRequest {
  const key = attachmentKey(env)
  const checked = base && checkVersion(env, base)
  return {
    verb: 'DEL',
    ...key,
    netns: env.netns === '' ? undefined : checkNetns(env.netns),
    args: lenientArgs(env.args),
    path: env.path,
    config: checked && lenientConfig(checked),
    prevResult: checked && lenientResult(checked),
  }
}

function attachmentKey(env: CniEnvironment): AttachmentKey {
  return { containerId: checkContainerId(env.containerId), ifname: checkIfname(env.ifname) }
}

function checkVersion({ verb }: CniEnvironment, base: ConfigBase): CheckedBase {
  const { version } = base
  if (!isCniVersion(version)) {
    throw cniError('incompatible-version', { version, supported: JSON.stringify(CNI_VERSIONS) })
  }
  if (!versionHasVerb(version, verb)) throw cniError('verb-needs-version', { version, verb, since: verbSince(verb) })
  return { ...base, version }
}

function strictConfig({ read, raw, version, name }: CheckedBase): NetworkConfig {
  return read(raw, version, name)
}

function lenientConfig(base: CheckedBase): NetworkConfig {
  return lenient(() => strictConfig(base)) ?? bareNetworkConfig(base.raw, base.version, base.name)
}

function previousResult({ raw, version }: CheckedBase): CniResult | undefined {
  const value = member(raw, 'prevResult')
  return value === undefined ? undefined : parseResult(value, version, 'prevResult')
}

function lenientResult(base: CheckedBase): CniResult | undefined {
  return lenient(() => previousResult(base))
}

function lenient<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ShapeError) return undefined
    throw error
  }
}

function readInput(input: unknown): Uint8Array {
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input
  if (!(bytes instanceof Uint8Array)) throw cniError('input-unreadable')
  if (bytes.length > MAX_INPUT) throw cniError('input-too-large', { limit: MAX_INPUT })
  return bytes
}

function decodeBase(bytes: Uint8Array, read: ConfigReader): ConfigBase {
  const raw = decodeConfig(bytes)
  return { read, raw, version: decodeVersion(raw), name: decodeName(raw) }
}

/** What the input says of its network, or nothing where it is not a configuration. */
function readableBase(input: unknown, read: ConfigReader): ConfigBase | undefined {
  try {
    return decodeBase(readInput(input), read)
  } catch (error) {
    if (error instanceof CniError) return undefined
    throw error
  }
}

function decodeConfig(bytes: Uint8Array): JsonObject {
  try {
    return decodeJsonObject(bytes)
  } catch (error) {
    throw cniError('input-not-json', { reason: error instanceof SyntaxError ? error.message : 'not JSON' })
  }
}

function decodeVersion(raw: JsonObject): string {
  const version = member(raw, 'cniVersion') ?? ''
  if (typeof version !== 'string') throw cniError('version-undecodable')
  return version === '' ? IMPLIED_VERSION : version
}

function decodeName(raw: JsonObject): string {
  const name = member(raw, 'name') ?? ''
  if (name === '') throw cniError('config-invalid', { field: 'name', expected: 'is missing' })
  if (typeof name === 'string' && isName(name)) return name
  const expected = 'must begin with a letter or digit and hold only these and _ . -'
  throw cniError('config-invalid', { field: 'name', expected })
}

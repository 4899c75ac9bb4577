import { CNI_ERRORS, type CniErrorId } from './error-table.ts'
import { FALLBACK_VERSION, isCniVersion } from './version.ts'

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never

type RowText<Id extends CniErrorId> = (typeof CNI_ERRORS)[Id]['message'] | (typeof CNI_ERRORS)[Id]['remedy']

/** The values an error's texts ask for, by placeholder. */
export type CniErrorValues<Id extends CniErrorId> = { readonly [Name in Placeholders<RowText<Id>>]: string | number }

type ValuesArgument<Id extends CniErrorId> =
  Placeholders<RowText<Id>> extends never ? [values?: Record<string, never>] : [values: CniErrorValues<Id>]

/** The error as a container runtime reads it on standard output. */
export interface CniErrorAnswer {
  readonly cniVersion: string
  readonly code: number
  readonly msg: string
  readonly details: string
}

/** No text from outside makes a message longer than this, in characters. */
const MAX_VALUE = 512
const MAX_MESSAGE = 1024

/**
 * An error of the plugin: `code` is what the runtime acts on, `id` is stable, `message` says the cause and `remedy`
 * what to do.
 */
export class CniError extends Error {
  override readonly name = 'CniError'
  readonly id: string
  readonly code: number
  readonly remedy: string

  constructor(id: string, code: number, message: string, remedy: string) {
    super(message)
    this.id = id
    this.code = code
    this.remedy = remedy
  }
}

/** Makes an error of the table. Values are cut to 512 characters and stripped of control characters. */
export function cniError<Id extends CniErrorId>(id: Id, ...[values]: ValuesArgument<Id>): CniError {
  const row = CNI_ERRORS[id]
  const given: Readonly<Record<string, string | number>> = values ?? {}
  return new CniError(id, row.code, fill(row.message, given), fill(row.remedy, given))
}

/** An error that another plugin answered: under its own code, with its own texts, fit for one line each. */
export function pluginError(type: string, code: number, message: string, details: string): CniError {
  const remedy = details === '' ? `see what the plugin ${type} says of code ${code}` : details
  return new CniError('plugin-error', code, `${type}: ${cleanText(message)}`, cleanText(remedy))
}

/**
 * Whatever was thrown, as an error for the runtime.
 *
 * Errors of our rooms (a stable `code` in words such as `LINUX_EPERM`, and a `remedy`) become the row of the table that
 * stands for them; those that none stands for keep their texts and code, under 999. Anything else becomes `internal`:
 * its text may hold a path, a token or a stack and stays in the log.
 */
export function toCniError(thrown: unknown): CniError {
  if (thrown instanceof CniError) return thrown
  if (!isRoomError(thrown)) return cniError('internal')
  const { code, message, remedy } = thrown
  return (
    ROWS_OF_ROOMS.get(code)?.(message, remedy) ?? new CniError(code, INTERNAL, cleanText(message), cleanText(remedy))
  )
}

/** The error in the form the specification gives it. `version` is that of the request, as far as it is known. */
export function errorAnswer(error: CniError, version?: unknown): CniErrorAnswer {
  return {
    cniVersion: isCniVersion(version) ? version : FALLBACK_VERSION,
    code: error.code,
    msg: error.message,
    details: `${error.remedy} (${error.id})`,
  }
}

/** The bytes for standard output, as text: one line of JSON. */
export function printError(thrown: unknown, version?: unknown): string {
  return `${JSON.stringify(errorAnswer(toCniError(thrown), version))}\n`
}

/** Text from outside, fit for one line: control characters become spaces, long text is cut. */
function cleanText(text: string, limit = MAX_MESSAGE): string {
  const head = text.length > limit ? `${text.slice(0, limit - 1)}…` : text
  return head.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
}

function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? cleanText(String(values[name]), MAX_VALUE) : whole,
  )
}

const INTERNAL = CNI_ERRORS.internal.code

const ovsdbAway = (reason: string): CniError => cniError('ovs-unreachable', { target: 'ovsdb-server', reason })
const switchAway = (reason: string): CniError => cniError('ovs-unreachable', { target: 'ovs-vswitchd', reason })
const notPermitted = (reason: string): CniError => cniError('permission-denied', { reason })
const notInKernel = (reason: string): CniError => cniError('kernel-feature-missing', { reason })
const openStackAway = (reason: string, advice: string): CniError =>
  cniError('openstack-unavailable', { reason, advice })
const refusedByOpenStack = (reason: string, advice: string): CniError =>
  cniError('openstack-refused', { reason, advice })

/** What the runtime should make of an error of another room, by its code: rooms below are not imported. */
const ROWS_OF_ROOMS: ReadonlyMap<string, (message: string, remedy: string) => CniError> = new Map([
  ['AGENT_NOT_READY', (waiting) => cniError('agent-starting', { waiting })],
  ['AGENT_SWITCH_AWAY', switchAway],
  ['OPENFLOW_DISCONNECTED', switchAway],
  ['OVSDB_INTERFACE_ERROR', (reason) => cniError('port-failed', { reason })],
  ['OVSDB_CLOSED', ovsdbAway],
  ['OVSDB_DISCONNECTED', ovsdbAway],
  ['OVSDB_TIMEOUT', ovsdbAway],
  ['OVSDB_UNREACHABLE', ovsdbAway],
  ['LINUX_EACCES', notPermitted],
  ['LINUX_EPERM', notPermitted],
  ['LINUX_EAFNOSUPPORT', notInKernel],
  ['LINUX_EOPNOTSUPP', notInKernel],
  ['OPENSTACK_CONFIG', (reason, advice) => cniError('openstack-config', { reason, advice })],
  ['OPENSTACK_UNAUTHORIZED', (reason, advice) => cniError('openstack-unauthorized', { reason, advice })],
  ['OPENSTACK_FORBIDDEN', (reason, advice) => cniError('openstack-forbidden', { reason, advice })],
  ['OPENSTACK_NOT_FOUND', (reason, advice) => cniError('openstack-not-found', { reason, advice })],
  ['OPENSTACK_QUOTA', (reason, advice) => cniError('openstack-quota', { reason, advice })],
  ['OPENSTACK_EXHAUSTED', (reason, advice) => cniError('openstack-exhausted', { reason, advice })],
  ['OPENSTACK_CONFLICT', (reason, advice) => cniError('openstack-conflict', { reason, advice })],
  ['OPENSTACK_IN_USE', refusedByOpenStack],
  ['OPENSTACK_INVALID', refusedByOpenStack],
  ['OPENSTACK_UNSUPPORTED', refusedByOpenStack],
  ['OPENSTACK_REVISION', openStackAway],
  ['OPENSTACK_UNAVAILABLE', openStackAway],
  ['OPENSTACK_ENDED', openStackAway],
  ['OPENSTACK_GARBAGE', (reason, advice) => cniError('openstack-garbage', { reason, advice })],
])

interface RoomError {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

function isRoomError(thrown: unknown): thrown is RoomError {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(thrown.code) &&
    'remedy' in thrown &&
    typeof thrown.remedy === 'string'
  )
}

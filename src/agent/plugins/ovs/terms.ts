/**
 * What a call of the plugin `ovs` is granted: everything is decided before anything is done.
 * @module
 */
import { realpathSync } from 'node:fs'
import { readingConfig } from '../../../cni/config-fault.ts'
import { cniError, type JsonObject, ShapeError } from '../../../cni/index.ts'
import { member } from '../../../cni/json.ts'
import { parseDns } from '../../../cni/result-parse.ts'
import { macAsked, ovnPortAsked } from '../../../compat/ovs-cni/asked.ts'
import { ADMINISTRATORS_KEYS, deviceOf, type OvsNetconf, parseOvsNetconf } from '../../../compat/ovs-cni/netconf.ts'
import { isWholeTrunk, type Membership, vlansOf } from '../../../compat/ovs-cni/vlan.ts'
import type { Mac } from '../../../network/model/address.ts'
import { bridgeProblem } from '../../../network/model/bridge-grant.ts'
import { type Grants, isTrusted, type Origin } from '../../../network/model/grants.ts'
import { FIRST_ENDPOINT_PORT, GATEWAY_PORT, LAST_ENDPOINT_PORT, TUNNEL_PORT } from '../../../network/pipeline/stages.ts'
import type { PluginCall } from '../plugin.ts'
import { type Bridge, bridgeNamed, ovnBridge, reservedFor } from './bridges.ts'
import { withNodeFile } from './flat-file.ts'
import type { UnderlayTables } from './tables.ts'

/** What a port is made of. */
export interface Terms {
  readonly netconf: OvsNetconf
  readonly bridge: Bridge
  readonly membership: Membership
  readonly mac?: Mac
  readonly ovnPort?: string
  /** MTUs of the two ends of the pod's link in bytes; absent: the kernel's. */
  readonly podMtu?: number
  readonly nodeMtu?: number
}

/** What deciding needs to know. */
export interface TermsSource {
  readonly tables: UnderlayTables
  /** The socket of ovsdb-server that the agent is connected to. */
  readonly ovsdb: string
  grants(): Grants
  /** Files of the node's that fill in what configurations leave empty; absent: the usual ones. */
  readonly flatFiles?: readonly string[]
}

/** The terms of a call, and the configuration with what the node's file adds to it. Throws what is refused, by its field. */
export function termsOf(call: PluginCall, source: TermsSource): { readonly terms: Terms; readonly config: JsonObject } {
  return readingConfig(() => {
    const config = configOf(call, source)
    return { terms: decide(call, config, source), config }
  })
}

/** A call's configuration with what the node's file adds to it. */
export function configOf(call: Pick<PluginCall, 'config' | 'origin'>, { grants, flatFiles }: TermsSource): JsonObject {
  const { config, origin } = call
  const trusted = isTrusted(grants(), origin)
  for (const key of ADMINISTRATORS_KEYS) {
    const value = member(config, key)
    if (value !== undefined && value !== '' && !trusted) throw refused(origin, key, 'it is of the node')
  }
  const named = member(config, 'configuration_path')
  if (named !== undefined && typeof named !== 'string') throw new ShapeError('configuration_path', 'must be a string')
  return withNodeFile(config, named || undefined, flatFiles)
}

/** Whether a pod's fixed requests count: its network's configuration, or its own namespace, is an administrator's. */
function mayFix({ origin, args }: PluginCall, grants: Grants): boolean {
  return isTrusted(grants, origin) || (args.pod !== undefined && grants.trustedNamespaces.has(args.pod.namespace))
}

function decide(call: PluginCall, config: JsonObject, source: TermsSource): Terms {
  const { origin, args } = call
  const grants = source.grants()
  const trusted = isTrusted(grants, origin)
  const device = deviceOf(config)
  if (device !== undefined) throw cniError('unsupported-field', device)
  const netconf = parseOvsNetconf(config)
  // It is part of the answer: found wrong before anything is done.
  parseDns(config, 'dns')
  checkSocket(netconf.socketFile, source.ovsdb)
  checkOfport(netconf.ofportRequest)
  const { interfaceType } = netconf
  if (interfaceType !== undefined && interfaceType !== 'system' && !trusted)
    throw refused(origin, 'interface_type', `type ${interfaceType} is not for pods`)
  const [mac, ovnPort] = [macAsked(config, args), ovnPortAsked(config, args)]
  for (const asked of [mac, ovnPort]) {
    if (asked !== undefined && !mayFix(call, grants)) throw refused(origin, asked.field, 'pods may not choose it')
  }
  // Left out beside a port of OVN's, ovs-cni takes OVN's.
  const name = netconf.bridge ?? (ovnPort === undefined ? undefined : ovnBridge(source.tables))
  if (name === undefined) throw new ShapeError('bridge', 'is missing')
  const field = netconf.bridge === undefined ? (ovnPort?.field ?? 'bridge') : 'bridge'
  const reserved = reservedFor(source.tables, name)
  if (reserved !== undefined)
    throw cniError('bridge-reserved', { who: whoOf(origin), field, bridge: name, owner: reserved })
  const membership = membershipOf(netconf, origin, trusted)
  const problem = bridgeProblem(grants, origin, args.pod?.namespace, name, vlansOf(membership))
  if (problem !== undefined) throw ungranted(origin, problem.field, problem.reason)
  const bridge = bridgeNamed(source.tables, name)
  if (bridge === undefined) throw cniError('bridge-missing', { bridge: name })
  return {
    netconf,
    bridge,
    membership,
    ...(mac === undefined ? {} : { mac: mac.value }),
    ...(ovnPort === undefined ? {} : { ovnPort: ovnPort.value }),
    ...mtus(netconf.mtu, bridge.mtu, trusted),
  }
}

/** Where nothing is said ovs-cni makes a trunk of all VLANs: only for administrators. */
function membershipOf({ membership }: OvsNetconf, origin: Origin, trusted: boolean): Membership {
  if (membership !== undefined && (trusted || !isWholeTrunk(membership))) return membership
  if (trusted) return { mode: 'trunk', trunks: [] }
  const field = membership === undefined ? 'vlan' : 'trunk'
  throw ungranted(origin, field, `without it the pod would be in every VLAN of the bridge; name its VLANs by ${field}`)
}

/**
 * Open vSwitch makes a bridge's own MTU the least of its ports', and with it the node's: what others than administrators
 * ask for reaches the pod's end only.
 */
function mtus(
  asked: number | undefined,
  bridge: number | undefined,
  trusted: boolean,
): Pick<Terms, 'podMtu' | 'nodeMtu'> {
  const podMtu = asked ?? bridge
  if (podMtu === undefined) return {}
  return { podMtu, nodeMtu: trusted ? podMtu : Math.max(podMtu, bridge ?? podMtu) }
}

/** Every port has to be found again by the connection that the agent has: there is no other. */
function checkSocket(socketFile: string | undefined, ovsdb: string): void {
  if (socketFile === undefined) return
  const path = socketFile.startsWith('unix:') ? socketFile.slice('unix:'.length) : undefined
  if (path !== undefined && sameFile(path, ovsdb)) return
  throw new ShapeError('socket_file', `must be unix:${ovsdb}, the one that the agent is connected to, or be left out`)
}

function sameFile(a: string, b: string): boolean {
  if (a === b) return true
  try {
    return realpathSync(a) === realpathSync(b)
  } catch {
    return false
  }
}

function checkOfport(request: number | undefined): void {
  if (request === undefined) return
  const isOurs =
    request === TUNNEL_PORT ||
    request === GATEWAY_PORT ||
    (FIRST_ENDPOINT_PORT <= request && request <= LAST_ENDPOINT_PORT)
  if (!isOurs) return
  const free = `${GATEWAY_PORT + 1} to ${FIRST_ENDPOINT_PORT - 1} or ${LAST_ENDPOINT_PORT + 1} to 65279`
  throw new ShapeError('ofport_request', `must be from ${free}: the agent gives out the others`)
}

function refused(origin: Origin, field: string, reason: string): Error {
  return cniError('request-refused', { who: whoOf(origin), field, reason })
}

/** Of a field without which there is no port. */
function ungranted(origin: Origin, field: string, reason: string): Error {
  return cniError('choice-refused', { who: whoOf(origin), field, reason })
}

function whoOf(origin: Origin): string {
  return origin.kind === 'definition'
    ? `network-attachment-definition ${origin.namespace}/${origin.name}`
    : 'the configuration'
}

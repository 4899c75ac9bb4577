/**
 * `ipam-neutron` straight at Neutron, for configurations that bring an account of their own: as it is without an agent
 * (docs/adr/0039), with the account's token kept from one call to the next.
 * @module
 */
import { type AttachmentKey, parseIpamConfig } from '../../../cni/index.ts'
import { deviceIdOf, hashOf } from '../../../compat/ipam-neutron/names.ts'
import { accountIn } from '../../../compat/ipam-neutron/netconf.ts'
import { NeutronIpam } from '../../../compat/ipam-neutron/plugin.ts'
import { loadNetconfCloud } from '../../../openstack/config/load.ts'
import { secretsOf } from '../../../openstack/config/model.ts'
import { Neutron } from '../../../openstack/neutron/neutron.ts'
import { OpenStackSession, type SessionOptions } from '../../../openstack/session.ts'
import { Deadline } from '../../../registry/deadline.ts'
import { hasGap } from '../../networks/accounts.ts'
import type { PluginCall } from '../plugin.ts'

/** Where it runs. */
export interface DirectParts {
  readonly node: string
  readonly machine: string
  readonly readFile: (path: string) => string
  readonly warn: (sentence: string) => void
  readonly session?: SessionOptions
}

/** What of a call counts. */
export type DirectCall = Pick<PluginCall, 'config' | 'version' | 'network' | 'accountsAway'>

/** Milliseconds for a call; what a failed one made is given back in time of its own. */
const PATIENCE_MS = 60_000
/** Configurations bring few accounts; one that was changed is another. */
const MOST_SESSIONS = 8

/** Neutron by configurations' own accounts. */
export class DirectNeutron implements Disposable {
  readonly #parts: DirectParts
  readonly #sessions = new Map<string, OpenStackSession>()

  constructor(parts: DirectParts) {
    this.#parts = parts
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session.close()
    this.#sessions.clear()
  }

  /** Whether a configuration brings an account. */
  isFor(call: DirectCall): boolean {
    return accountIn(configOf(call)) !== undefined
  }

  /** Tells people that ports of an interface may be left in Neutron, and why nobody can look. */
  warnOfLeft(key: AttachmentKey, why: string): void {
    const device = deviceIdOf(key)
    this.#parts.warn(
      `A port of this container may be left in Neutron: ${why}. See openstack port list --device-id ${device}, and delete what is there.`,
    )
  }

  /** Does something by a configuration's account. Throws why nobody can say which it is, where that will pass. */
  async using<T>(
    call: DirectCall,
    signal: AbortSignal | undefined,
    use: (ipam: NeutronIpam, config: ReturnType<typeof configOf>, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { session: _, ...surroundings } = this.#parts
    const config = configOf(call)
    if (call.accountsAway !== undefined && hasGap(call.config)) throw call.accountsAway
    const ipam = new NeutronIpam({ ...surroundings, neutron: new Neutron(this.#sessionOf(accountIn(config))) })
    const deadline = new Deadline(signal, PATIENCE_MS)
    try {
      return await use(ipam, config, deadline.signal)
    } finally {
      deadline.clear()
    }
  }

  /** Files that the account is in (clouds.yaml, authorities) are read each time: they may have changed. */
  #sessionOf(account: unknown): OpenStackSession {
    const cloud = loadNetconfCloud(account)
    const key = hashOf(JSON.stringify([cloud, secretsOf(cloud).map((one) => one.reveal())]), 64)
    const found = this.#sessions.get(key)
    if (found !== undefined) return found
    for (const sentence of cloud.warnings) this.#parts.warn(sentence)
    const session = new OpenStackSession(cloud, { userAgent: 'weft-agent', ...this.#parts.session })
    const [oldest] = this.#sessions
    if (this.#sessions.size >= MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest[0])
    this.#sessions.set(key, session)
    return session
  }
}

function configOf({ config, version, network }: DirectCall) {
  return parseIpamConfig(config, version, network)
}

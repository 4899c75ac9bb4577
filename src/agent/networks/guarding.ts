/**
 * Pods on guarded bridges, for whoever puts them there: their OpenFlow number, which classes and meters go by; what they are held
 * to from their first packet on; and their flows.
 * @module
 */
import { type CniArgs, cniError } from '../../cni/index.ts'
import { type Limits, UNLIMITED } from '../../network/model/bandwidth.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'
import { type Lease, LIMITS_KEY, limitsText } from '../attach/lease.ts'
import type { Ports } from '../attach/ports.ts'
import type { Admission } from '../plugins/ovs/order.ts'
import type { PortGuard } from '../plugins/ovs/plugin.ts'
import type { GuardedPort, UnderlayPorts } from '../plugins/ovs/ports.ts'
import type { Limiter } from '../qos/limiter.ts'
import type { Shaper } from '../qos/shaper.ts'
import type { Wires } from '../switch/wires.ts'

/** What holds pods to their bandwidth. */
export interface GuardLimits {
  readonly limiter: Pick<Limiter, 'limitsFor' | 'attached'>
  readonly shaper: Pick<Shaper, 'apply'>
  /** Of the overlay's bridge: numbers are given out for all bridges together. */
  readonly overlay: Pick<Ports, 'freeOfport' | 'handsOff'>
  /** What is missing before policies are known, for people. */
  waitingFor(): readonly string[]
}

/** Guards pods' ports, and holds them to their bandwidth. */
export class Guarding implements PortGuard {
  readonly #wires: Pick<Wires, 'isOurs' | 'put' | 'remove'>
  readonly #limits: GuardLimits

  readonly #ports: Pick<UnderlayPorts, 'leaseOf'>

  constructor(
    wires: Pick<Wires, 'isOurs' | 'put' | 'remove'>,
    ports: Pick<UnderlayPorts, 'leaseOf'>,
    limits: GuardLimits,
  ) {
    this.#wires = wires
    this.#ports = ports
    this.#limits = limits
  }

  /** Throws `agent-starting` as long as nobody knows pods' policies. */
  checkReady(bridge: string): void {
    const waiting = this.#limits.waitingFor().join('; ')
    if (waiting !== '' && this.#wires.isOurs(bridge)) throw cniError('agent-starting', { waiting })
  }

  /** Throws `bandwidth-refused`. */
  async admit(bridge: string, pod: CniArgs['pod']): Promise<Admission | undefined> {
    if (!this.#wires.isOurs(bridge)) return undefined
    const { overlay } = this.#limits
    const limits = this.#limitsFor(pod)
    const text = limitsText(limits)
    return {
      ofport: overlay.freeOfport(() => false),
      limits,
      externalIds: text === undefined ? {} : { [LIMITS_KEY]: text },
      ...(isUnlimited(limits) ? {} : { qos: await overlay.handsOff.row() }),
    }
  }

  shape(lease: Lease, nsFd: number): void {
    if (lease.endpoint.limits !== undefined) this.#limits.shaper.apply(lease, { nsFd })
  }

  attached(link: string): void {
    const lease = this.#ports.leaseOf(link)
    if (lease !== undefined) this.#limits.limiter.attached(lease)
  }

  put(port: GuardedPort): Promise<void> {
    return this.#wires.put(port)
  }

  remove(id: string): void {
    this.#wires.remove(id)
  }

  #limitsFor(pod: CniArgs['pod']): Limits {
    if (pod === undefined) return UNLIMITED
    const { namespace, name, uid } = pod
    const asked = { namespace, pod: name, ...(uid === undefined ? {} : { podUid: uid }) }
    const { limits, problems } = this.#limits.limiter.limitsFor(asked)
    if (problems.length === 0) return limits
    throw cniError('bandwidth-refused', { pod: `${namespace}/${name}`, problem: problems.join('; ') })
  }
}

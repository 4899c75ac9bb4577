/**
 * A cluster in a few maps: pods that come, run, restart and go, agents that claim and sometimes forget to give back, and a
 * controller that hears of both late, in any order.
 * @module
 */
import { addressClaimBinding } from '../../../compat/weft/address-claim.ts'
import { type ClaimObject, claimObjectOf } from '../../../compat/weft/claim-object.ts'
import { ip } from '../../../network/model/address.ts'
import { hasPlaceFor, type PodLife, type PodSetLife } from '../../../network/model/pod-life.ts'
import { type AddressClaim, claimName } from '../../../network/model/pool.ts'
import { ClaimIndex, type IndexedClaim } from '../claim-index.ts'
import { Collector } from '../garbage.ts'

const NAMESPACE = 'shop'
const IFNAMES = ['eth0', 'net1'] as const

interface Stored {
  readonly value: AddressClaim
  readonly uid: string
  readonly revision: number
}

/** What a pod really has: the truth that nobody tells anybody. */
interface Body {
  life: PodLife
  sandbox: number
  /** The address of each interface. */
  readonly has: Map<string, string>
}

/** The cluster. */
export class ClusterDouble {
  now = 1_000_000
  readonly set: PodSetLife = { namespace: NAMESPACE, name: 'db', uid: 's1', start: 0, replicas: 2 }
  readonly bodies = new Map<string, Body>()
  readonly claims = new Map<string, Stored>()
  /** Addresses that were taken from somebody who has them. */
  readonly robbed: string[] = []
  /** How many claims were collected. */
  collected = 0
  readonly collector: Collector
  readonly #index = new ClaimIndex()
  readonly #heardPods = new Map<string, PodLife>()
  readonly #podNews: (readonly [string, PodLife | undefined])[] = []
  readonly #claimNews: (readonly [string, Stored | undefined, Stored | undefined])[] = []
  #counter = 0

  constructor() {
    this.collector = new Collector({
      claims: this.#index,
      known: { pod: (key) => this.#heardPods.get(key), set: () => this.set },
      live: {
        pod: async (namespace, name) => this.bodies.get(`${namespace}/${name}`)?.life,
        set: async () => this.set,
      },
      release: async (claim) => this.#release(claim),
      now: () => this.now,
    })
  }

  /** Makes a pod of this name, unless there is one. */
  appear(name: string): void {
    const key = `${NAMESPACE}/${name}`
    if (this.bodies.has(key)) return
    const uid = `u${this.#next()}`
    const identity = { namespace: NAMESPACE, name, uid, runtimeUid: uid, node: 'n1' }
    this.bodies.set(key, { life: { ...identity, phase: 'Pending', addresses: [] }, sandbox: 0, has: new Map() })
    this.#podChanged(key)
  }

  /** Its agent attaches it: a new sandbox, which takes what it finds of its own, or something new. */
  attach(name: string, retakes: boolean, hasSecond: boolean): void {
    const body = this.#alive(name)
    if (body === undefined || body.life.deadline !== undefined) return
    body.sandbox = this.#next()
    body.has.clear()
    for (const ifname of hasSecond ? IFNAMES : IFNAMES.slice(0, 1)) {
      const own = [...this.claims.values()].find(
        ({ value }) =>
          value.pod === name && value.ifname === ifname && (value.podUid === body.life.uid || value.isSticky),
      )
      const address = retakes && own !== undefined ? own.value.address : `10.0.${this.#next()}.${this.#next() % 256}`
      body.has.set(ifname, address)
      this.#claim(name, body, ifname, address)
    }
  }

  /** A create whose answer got lost: it was made, and the agent took another address. */
  loseAnswer(name: string): void {
    const body = this.#alive(name)
    if (body === undefined || !body.has.has('eth0')) return
    this.#claim(name, body, 'eth0', `10.1.${this.#next()}.1`)
  }

  /** The kubelet says how it is. */
  report(name: string): void {
    const body = this.#alive(name)
    const address = body?.has.get('eth0')
    if (body === undefined || address === undefined) return
    body.life = { ...body.life, phase: 'Running', addresses: [ip(address)] }
    this.#podChanged(`${NAMESPACE}/${name}`)
  }

  /** Somebody deletes it: it has half a minute. */
  doom(name: string): void {
    const body = this.#alive(name)
    if (body === undefined || body.life.deadline !== undefined) return
    body.life = { ...body.life, deadline: this.now + 30_000 }
    this.#podChanged(`${NAMESPACE}/${name}`)
  }

  /** All its containers end. */
  end(name: string): void {
    const body = this.#alive(name)
    if (body === undefined) return
    body.life = { ...body.life, phase: 'Ended', endedAt: this.now }
    this.#podChanged(`${NAMESPACE}/${name}`)
  }

  /** It is gone; its agent gives back what is its own, or died before that. */
  vanish(name: string, givesBack: boolean): void {
    const key = `${NAMESPACE}/${name}`
    const body = this.bodies.get(key)
    if (body === undefined) return
    this.bodies.delete(key)
    this.#podChanged(key)
    for (const [claim, { value }] of this.claims) {
      const isOwn = value.podUid === body.life.uid && value.containerId === sandboxName(body)
      if (givesBack && isOwn && !value.isSticky) this.#deleteClaim(claim)
    }
  }

  hearPods(count: number): void {
    for (const [key, life] of this.#podNews.splice(0, count)) {
      if (life === undefined) this.#heardPods.delete(key)
      else this.#heardPods.set(key, life)
    }
  }

  hearClaims(count: number): void {
    for (const [name, stored, before] of this.#claimNews.splice(0, count)) {
      const told = stored ?? before
      if (told === undefined) continue
      const object = { name, revision: String(told.revision), value: entryOf(name, told) }
      this.#index.apply({ type: stored === undefined ? 'delete' : 'put', object, before: object }, this.now)
    }
  }

  async collect(): Promise<void> {
    for (const name of [...this.#index.all.keys()]) await this.collector.lookAt(name)
  }

  /** Claims that are nobody's. Of one that ended the next pod of its name shows which of its claims is one too many. */
  leaked(): readonly string[] {
    const isUnclear = ({ pod }: AddressClaim): boolean =>
      hasPlaceFor(this.set, pod) && this.bodies.get(`${NAMESPACE}/${pod}`)?.life.phase === 'Ended'
    return [...this.claims].filter(([, { value }]) => !this.#isUsed(value) && !isUnclear(value)).map(([name]) => name)
  }

  #isUsed(claim: AddressClaim): boolean {
    const body = this.bodies.get(`${claim.namespace}/${claim.pod}`)
    const isAwaited = claim.isSticky && hasPlaceFor(this.set, claim.pod)
    if (body === undefined || body.life.uid !== claim.podUid) {
      return isAwaited && (body === undefined || body.has.size === 0)
    }
    const { phase, deadline = Number.POSITIVE_INFINITY } = body.life
    if ((phase === 'Ended' || deadline <= this.now) && !isAwaited) return false
    return body.has.get(claim.ifname) === claim.address
  }

  #release({ name, value, uid, revision }: IndexedClaim): boolean {
    const stored = this.claims.get(name)
    if (stored?.uid !== uid || stored.revision !== revision) return false
    if (this.#isUsed(value)) this.robbed.push(name)
    this.collected += 1
    this.#deleteClaim(name)
    return true
  }

  #alive(name: string): Body | undefined {
    const body = this.bodies.get(`${NAMESPACE}/${name}`)
    return body?.life.phase === 'Ended' ? undefined : body
  }

  #claim(pod: string, body: Body, ifname: string, address: string): void {
    const isSticky = pod.startsWith('db-')
    const name = claimName(ip(address))
    const stored = {
      value: {
        address: ip(address),
        prefix: 16,
        pool: 'p',
        namespace: NAMESPACE,
        pod,
        podUid: body.life.uid,
        ifname,
        containerId: sandboxName(body),
        node: 'n1',
        isSticky,
        ...(isSticky ? { owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 's1' } } : {}),
        routes: [],
        hasCleanGateway: false,
      },
      uid: this.claims.get(name)?.uid ?? `c${this.#next()}`,
      revision: this.#next(),
    }
    this.claims.set(name, stored)
    this.#claimNews.push([name, stored, undefined])
  }

  #deleteClaim(name: string): void {
    const before = this.claims.get(name)
    this.claims.delete(name)
    this.#claimNews.push([name, undefined, before])
  }

  #podChanged(key: string): void {
    this.#podNews.push([key, this.bodies.get(key)?.life])
  }

  #next(): number {
    this.#counter += 1
    return this.#counter
  }
}

function sandboxName({ sandbox }: Body): string {
  return `sandbox-${sandbox}`
}

function entryOf(name: string, { value, uid, revision }: Stored): ClaimObject {
  const object = addressClaimBinding.encode(value)
  return claimObjectOf({ ...object, metadata: { ...object.metadata, name, uid, resourceVersion: String(revision) } })
}

/**
 * Many pods at once on few addresses: runtimes that add and delete them as kubelets have it, by several nodes' agents,
 * which somebody kills, and the collector that cleans up behind.
 */
import { judgeClaim, type KnownClaim } from '../../../../ipam/claim-verdict.ts'
import { type Ip, ip } from '../../../../network/model/address.ts'
import type { Pod } from '../../../../network/model/pod.ts'
import type { PodLife } from '../../../../network/model/pod-life.ts'
import { claimName } from '../../../../network/model/pool.ts'
import type { Registry } from '../../../../registry/registry.ts'
import { RegistryError } from '../../../../registry/registry.ts'
import { from, pod, pool } from './objects.ts'
import { Agent } from './rig.ts'

/** What a crowd is. */
export interface CrowdOptions {
  readonly pods: number
  /** Addresses are as many as pods. */
  readonly pools: number
  readonly nodes: number
  /** Pods of one node that are added at a time. */
  readonly atOnce: number
  /** A registry for an agent: a connection of its own. */
  readonly connect: () => Registry
  /** The test's own connection. */
  readonly registry: Registry
}

interface Member {
  readonly pod: Pod
  readonly node: number
  sandbox: string
  addresses: readonly Ip[]
}

/** Pods, and the agents of their nodes. */
export class Crowd {
  readonly #options: CrowdOptions
  readonly #agents: Agent[] = []
  readonly #members: Member[]
  /** ADDs and DELs that were tried. */
  tries = 0
  collected = 0
  #sandboxes = 0

  private constructor(options: CrowdOptions) {
    const { pods, pools, nodes } = options
    this.#options = options
    const names = Array.from({ length: pools }, (_, i) => `pool-${i}`)
    this.#members = Array.from({ length: pods }, (_, i) => ({
      // Each names all pools, from another one on.
      pod: pod(`p-${i}`, from([...names.slice(i % pools), ...names.slice(0, i % pools)]), { node: `node${i % nodes}` }),
      node: i % nodes,
      sandbox: '',
      addresses: [],
    }))
  }

  static async start(options: CrowdOptions): Promise<Crowd> {
    const { pods, pools, nodes, registry } = options
    const size = Math.ceil(pods / pools)
    for (let i = 0; i < pools; i += 1) {
      const first = 256 * (i * 8 + 1)
      const at = (n: number): string => `172.18.${Math.floor((first + n) / 256)}.${(first + n) % 256}`
      const count = Math.min(size, pods - i * size)
      await registry.create('AddressPool', `pool-${i}`, pool(`pool-${i}`, `${at(0)}-${at(count - 1)}`))
    }
    const namespace = { name: 'default', uid: 'uid-default' }
    await registry.create('Namespace', 'default', namespace).catch((error: unknown) => {
      if (!(error instanceof RegistryError) || error.code !== 'REGISTRY_EXISTS') throw error
    })
    const crowd = new Crowd(options)
    for (let i = 0; i < nodes; i += 1) crowd.#agents.push(await crowd.#startAgent(i))
    return crowd
  }

  /** Every pod gets an address, however often it takes. */
  addAll(): Promise<void> {
    return this.#each((member) => this.#add(member))
  }

  /** Every pod's end, however often it takes. */
  delAll(): Promise<void> {
    return this.#each(async (member) => {
      const { sandbox } = member
      member.addresses = []
      member.sandbox = ''
      await this.#del(member, sandbox)
    })
  }

  /** Kills an agent, and starts it again. */
  async kill(node: number): Promise<void> {
    this.#agents[node]?.kill()
    this.#agents[node] = await this.#startAgent(node)
  }

  stop(): void {
    for (const agent of this.#agents) agent.kill()
  }

  /** Which addresses more than one pod has. */
  doubled(): readonly Ip[] {
    const all = this.#members.flatMap(({ addresses }) => addresses)
    return all.filter((address, index) => all.indexOf(address) !== index)
  }

  /** How many pods have an address. */
  get served(): number {
    return this.#members.filter(({ addresses }) => addresses.length > 0).length
  }

  /** Pods whose address is not claimed for their very sandbox. */
  async unclaimed(): Promise<readonly string[]> {
    const { objects } = await this.#options.registry.list('AddressClaim')
    const claims = new Map(objects.map(({ value }) => [value.address, value.containerId]))
    return this.#members
      .filter(({ addresses, sandbox }) => addresses.some((address) => claims.get(address) !== sandbox))
      .map(({ pod: { name } }) => name)
  }

  async claims(): Promise<number> {
    return (await this.#options.registry.list('AddressClaim')).objects.length
  }

  /** What the controller does: removes claims that are nobody's, by its own verdict, as if all had been there for long. */
  async collect(): Promise<void> {
    const { registry } = this.#options
    const { objects } = await registry.list('AddressClaim')
    const known = objects.map(({ value, revision }): KnownClaim => ({ value, revision, since: 0, unchangedSince: 0 }))
    const byPod = Map.groupBy(known, ({ value }) => value.pod)
    const lives = new Map(this.#members.flatMap((member) => lifeOf(member) ?? []).map((life) => [life.name, life]))
    for (const one of known) {
      const { address, pod: name } = one.value
      const verdict = judgeClaim(one, { pod: lives.get(name), all: byPod.get(name) ?? [], now: Date.now() })
      if (verdict.is === 'kept') continue
      await registry.delete('AddressClaim', claimName(address), one.revision).then(
        () => {
          this.collected += 1
        },
        () => undefined,
      )
    }
  }

  async #startAgent(node: number): Promise<Agent> {
    return Agent.start(this.#options.connect(), { node: `node${node}` })
  }

  async #add(member: Member): Promise<void> {
    for (;;) {
      this.#sandboxes += 1
      const sandbox = `sandbox-${this.#sandboxes}`
      member.sandbox = sandbox
      try {
        this.tries += 1
        const agent = await this.#agentOf(member)
        const { ips } = await agent.calling(agent.add(member.pod, sandbox))
        member.addresses = ips.map(({ address }) => ip(address.slice(0, address.indexOf('/'))))
        return
      } catch {
        await this.#del(member, sandbox)
        await Bun.sleep(5 + Math.random() * 20)
      }
    }
  }

  async #del(member: Member, sandbox: string): Promise<void> {
    for (;;) {
      try {
        this.tries += 1
        const agent = await this.#agentOf(member)
        return await agent.calling(agent.del(member.pod, sandbox))
      } catch {
        await Bun.sleep(5)
      }
    }
  }

  async #agentOf({ node }: Member): Promise<Agent> {
    for (;;) {
      const agent = this.#agents[node]
      if (agent !== undefined && !agent.isKilled) return agent
      await Bun.sleep(2)
    }
  }

  /** Each node does so many at a time. */
  async #each(work: (member: Member) => Promise<void>): Promise<void> {
    const { nodes, atOnce } = this.#options
    const queues = Array.from({ length: nodes }, (_, node) => this.#members.filter((member) => member.node === node))
    const workers = queues.flatMap((queue) =>
      Array.from({ length: atOnce }, async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
      }),
    )
    await Promise.all(workers)
  }
}

/** What the API server knows of a pod. One without a sandbox is gone. */
function lifeOf({ pod: { namespace, name, uid, node }, addresses, sandbox }: Member): PodLife | undefined {
  if (sandbox === '') return undefined
  const phase = addresses.length > 0 ? 'Running' : 'Pending'
  return { namespace, name, uid, runtimeUid: uid, node, phase, addresses }
}

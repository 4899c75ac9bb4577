/**
 * What becomes of a pod's networks when steps fail, and when the agent dies anywhere: plugins that only note what is left
 * of them, and fail or die when they are told to.
 */
import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { CniError, type CniResult, EMPTY_RESULT } from '../../cni/index.ts'
import { DEFAULT_NETWORK, NETWORKS } from '../../compat/multus/selection.ts'
import { RegistryError } from '../../registry/registry.ts'
import type { Attachments } from '../attach/attachments.ts'
import type { Plugin, PluginCall } from '../plugins/plugin.ts'
import { LocalPods } from './local-pods.ts'
import { Networks } from './networks.ts'
import { Records } from './records.ts'
import { StatusWriter } from './status-writer.ts'
import { addCall, checkCall, delCall, podWith, resolvingBy } from './testing/call.ts'

const list = (name: string, ...types: readonly string[]) => ({
  cniVersion: '1.0.0',
  name,
  plugins: types.map((type) => ({ type })),
})
const RESOLVING = resolvingBy({
  'kube-system/first': list('first', 'a', 'b'),
  'kube-system/second': list('second', 'c', 'd'),
  'kube-system/unchecked': { ...list('unchecked', 'c', 'd'), disableCheck: true },
})
const WISHES = { [DEFAULT_NETWORK]: 'first', [NETWORKS]: 'kube-system/second' }
const NETNS = { fd: -1, path: '/run/netns/p1' }

/** A process that was killed: nothing after it happens. */
class Killed extends Error {}

/** What is left of plugins in the world, across the lives of agents. */
class World {
  readonly left = new Set<string>()
  /** In which call each was asked for. */
  readonly plans = new Map<string, string>()
  readonly log: string[] = []
  readonly told: string[] = []
  isFailing = false
  resolving = RESOLVING
  readonly stateDir = mkdtempSync(join(tmpdir(), 'weft-networks-'))
  /** Throws where something is to go wrong. */
  trouble: (step: string) => void = () => undefined
  /** What a step waits for, like a program that calls us. */
  meanwhile: (step: string) => Promise<unknown> = async () => undefined

  /** An agent that starts, with a pod that has these annotations. */
  agent(wishes: Readonly<Record<string, string>> = WISHES): Networks {
    const plugins = new Map(['a', 'b', 'c', 'd'].map((type) => [type, this.#plugin(type)]))
    const pods = new LocalPods('node1', { get: async () => undefined })
    pods.put(podWith(wishes))
    const tell = (_: unknown, reason: string, message: string) => void this.told.push(`${reason} ${message}`)
    const overlay = {
      del: async () => undefined,
      releasePlan: async (plan: string) => {
        for (const [key, one] of this.plans) if (one === plan) this.left.delete(key)
      },
      gc: async () => undefined,
      status: () => this.#step('status overlay'),
    } as unknown as Attachments
    const networks = new Networks({
      overlay,
      plugins: { plugin: (type) => plugins.get(type) ?? this.#plugin(type), ipam: (type) => this.#plugin(type) },
      records: new Records(this.stateDir),
      pods,
      resolving: this.resolving,
      notices: { warn: tell, tell },
      status: new StatusWriter(undefined, { tell }),
      problems: { failed: () => this.#fail(true), solved: () => this.#fail(false) },
      signal: new AbortController().signal,
    })
    running.push(networks)
    return networks
  }

  #fail(isFailing: boolean): void {
    this.isFailing = isFailing
  }

  #step(what: string): void {
    this.log.push(what)
    this.trouble(what)
  }

  #plugin(type: string): Plugin {
    const key = ({ ifname }: PluginCall) => `${type}@${ifname}`
    const step = (what: string): void => this.#step(what)
    return {
      status: async () => step(`status ${type}`),
      add: async (call): Promise<CniResult> => {
        step(`add ${key(call)}`)
        await this.meanwhile(`add ${key(call)}`)
        this.left.add(key(call))
        this.plans.set(key(call), call.plan)
        step(`added ${key(call)}`)
        const { interfaces, ...rest } = call.prevResult ?? EMPTY_RESULT
        return { ...rest, interfaces: [...interfaces, { name: `${call.ifname}-${type}`, sandbox: NETNS.path }] }
      },
      del: async (call) => {
        step(`del ${key(call)}`)
        await this.meanwhile(`del ${key(call)}`)
        this.left.delete(key(call))
        step(`gone ${key(call)}`)
      },
      check: async (call) => {
        if (!this.left.has(key(call))) throw new Error(`${key(call)} is gone`)
      },
    }
  }
}

const running: Networks[] = []
const worlds: World[] = []
afterEach(() => {
  for (const networks of running.splice(0)) networks[Symbol.dispose]()
  for (const { stateDir } of worlds.splice(0)) rmSync(stateDir, { recursive: true, force: true })
})
function world(): World {
  const made = new World()
  worlds.push(made)
  return made
}

const ALL = ['a@eth0', 'b@eth0', 'c@net1', 'd@net1']

test('every network in its turn; the first one’s result is the answer, and DEL goes the way back', async () => {
  const w = world()
  const agent = w.agent()
  const result = await agent.add(addCall(), 'weft', NETNS)
  expect(result.interfaces.map(({ name }) => name)).toEqual(['eth0-a', 'eth0-b'])
  expect([...w.left]).toEqual(ALL)
  expect(w.told).toEqual([
    'AddedInterface Add eth0 [] from kube-system/first',
    'AddedInterface Add net1 [] from kube-system/second',
  ])
  w.log.length = 0
  await w.agent().del(delCall(), 'weft', undefined)
  expect(w.log.filter((line) => line.startsWith('del'))).toEqual(ALL.toReversed().map((one) => `del ${one}`))
  expect([...w.left]).toEqual([])
  expect(new Records(w.stateDir).isEmpty).toBe(true)
})

test('a program that is run for a pod may call us for an IPAM plugin; a runtime may not call twice at once', async () => {
  const w = world()
  const agent = w.agent()
  w.meanwhile = async (step) => {
    if (step === 'add a@eth0') {
      await agent.add(addCall(), 'spiderpool', NETNS)
      await expect(agent.add(addCall(), 'weft', NETNS)).rejects.toMatchObject({ id: 'attachment-in-progress' })
    }
    if (step === 'del a@eth0') await agent.del(delCall(), 'spiderpool', NETNS)
  }
  await agent.add(addCall(), 'weft', NETNS)
  expect([...w.left]).toEqual(['spiderpool@eth0', ...ALL])
  await agent.del(delCall(), 'weft', NETNS)
  expect([...w.left]).toEqual([])
  expect(new Records(w.stateDir).isEmpty).toBe(true)
})

test('a DEL of what was never recorded succeeds, whatever is wrong with the configuration', async () => {
  const agent = world().agent()
  await agent.del(delCall({ cniVersion: '1.0.0', name: 'n', type: 'multus' }), 'multus', undefined)
})

test('without its record a DEL frees what the overlay has of the same call, and nothing of others', async () => {
  const w = world()
  await w.agent().add(addCall(), 'weft', NETNS)
  // A Multus, which calls for each interface alone.
  const alone = { ...addCall(), ifname: 'net7' }
  await w.agent({ [DEFAULT_NETWORK]: 'second' }).add(alone, 'weft', NETNS)
  rmSync(w.stateDir, { recursive: true })
  const agent = w.agent()
  await agent.del(delCall(), 'weft', undefined)
  expect([...w.left]).toEqual(['c@net7', 'd@net7'])
  await agent.del({ ...delCall(), ifname: 'net7' }, 'weft', undefined)
  expect([...w.left]).toEqual([])
})

test('CHECK asks every step, but those of networks whose author wants none', async () => {
  const w = world()
  const agent = w.agent({ ...WISHES, [NETWORKS]: 'kube-system/unchecked' })
  const call = checkCall(await agent.add(addCall(), 'weft', NETNS))
  await agent.check(call, 'weft', NETNS)
  w.left.delete('d@net1')
  await agent.check(call, 'weft', NETNS)
  w.left.delete('b@eth0')
  await expect(agent.check(call, 'weft', NETNS)).rejects.toThrow('b@eth0 is gone')
})

test('a repeated ADD answers the same, and makes anew what is not whole', async () => {
  const w = world()
  const first = await w.agent().add(addCall(), 'weft', NETNS)
  const agent = w.agent()
  w.log.length = 0
  expect(await agent.add(addCall(), 'weft', NETNS)).toEqual(first)
  expect(w.log).toEqual([])
  w.left.delete('d@net1')
  expect(await agent.add(addCall(), 'weft', NETNS)).toEqual(first)
  expect([...w.left].sort()).toEqual(ALL)
})

test('one that fails undoes all of them, and the pod is told why', async () => {
  for (const failing of ALL) {
    const w = world()
    w.trouble = (step) => {
      if (step === `added ${failing}`) throw new Error('no')
    }
    await expect(w.agent().add(addCall(), 'weft', NETNS)).rejects.toThrow('no')
    expect([...w.left]).toEqual([])
    expect(new Records(w.stateDir).isEmpty).toBe(true)
    expect(w.told.map((line) => line.split(' ')[0])).toEqual(['NetworkNotAttached'])
  }
})

test('a DEL goes on after a failure, tells it, and is whole when it is repeated', async () => {
  for (const failing of ALL) {
    const w = world()
    const agent = w.agent()
    await agent.add(addCall(), 'weft', NETNS)
    w.trouble = (step) => {
      if (step === `del ${failing}`) throw new Error('not now')
    }
    await expect(agent.del(delCall(), 'weft', undefined)).rejects.toThrow('not now')
    expect([...w.left]).toEqual([failing])
    w.trouble = () => undefined
    await agent.del(delCall(), 'weft', undefined)
    expect([...w.left]).toEqual([])
  }
})

test('what cannot be given back while the registry is away is given back later, by whichever agent', async () => {
  const w = world()
  const agent = w.agent()
  await agent.add(addCall(), 'weft', NETNS)
  w.trouble = (step) => {
    if (step === 'del c@net1') throw new RegistryError('REGISTRY_UNAVAILABLE', 'away')
  }
  await agent.del(delCall(), 'weft', undefined)
  expect([...w.left]).toEqual(['c@net1'])
  await agent.releaseLeaving()
  expect([...w.left]).toEqual(['c@net1'])
  w.trouble = () => undefined
  await w.agent().releaseLeaving()
  expect([...w.left]).toEqual([])
  expect(new Records(w.stateDir).isEmpty).toBe(true)
})

test('what is still being given back is not told to be done', async () => {
  const w = world()
  const agent = w.agent()
  await agent.add(addCall(), 'weft', NETNS)
  w.trouble = (step) => {
    if (step === 'del c@net1') throw new RegistryError('REGISTRY_UNAVAILABLE', 'away')
  }
  await agent.del(delCall(), 'weft', undefined)
  await agent.releaseLeaving()
  expect(w.isFailing).toBe(true)
  w.trouble = () => undefined
  const held = Promise.withResolvers<void>()
  w.meanwhile = () => held.promise
  const first = agent.releaseLeaving()
  await agent.releaseLeaving()
  expect(w.isFailing).toBe(true)
  held.resolve()
  await first
  expect(w.isFailing).toBe(false)
})

test('a pod that is on its way out is not attached to what it had', async () => {
  const w = world()
  const agent = w.agent()
  await agent.add(addCall(), 'weft', NETNS)
  w.trouble = (step) => {
    if (step === 'del c@net1') throw new RegistryError('REGISTRY_UNAVAILABLE', 'away')
  }
  await agent.del(delCall(), 'weft', undefined)
  w.trouble = () => undefined
  await agent.add(addCall(), 'weft', NETNS)
  expect([...w.left].sort()).toEqual(ALL)
})

test('whatever step an agent dies at, the next one’s DEL leaves nothing', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'del'), fc.nat(17)), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(steps, async (lives) => {
      const w = world()
      for (const [verb, after] of lives) {
        let count = 0
        w.trouble = () => {
          count += 1
          // A killed process does nothing any more: neither the next step nor its undo.
          if (count > after) throw new Killed()
        }
        const agent = w.agent()
        const call = verb === 'add' ? agent.add(addCall(), 'weft', NETNS) : agent.del(delCall(), 'weft', undefined)
        await call.catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error
        })
      }
      w.trouble = () => undefined
      await w.agent().del(delCall(), 'weft', undefined)
      expect([...w.left]).toEqual([])
      expect(new Records(w.stateDir).isEmpty).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('two operations on one pod at a time are refused, to be repeated', async () => {
  const w = world()
  const agent = w.agent()
  const first = agent.add(addCall(), 'weft', NETNS)
  const second = await agent.add(addCall(), 'weft', NETNS).catch((error: unknown) => error)
  expect(second).toBeInstanceOf(CniError)
  expect((second as CniError).code).toBe(11)
  await first
})

test('a runtime’s list of what stands makes everything else go', async () => {
  const w = world()
  const agent = w.agent()
  await agent.add(addCall(), 'weft', NETNS)
  const { config } = addCall()
  const gc = (...valid: readonly string[]): Promise<void> => {
    const validAttachments = valid.map((containerId) => ({ containerId, ifname: 'eth0' }))
    return agent.gc({ verb: 'GC', path: [], config, validAttachments }, 'weft')
  }
  await gc('c1')
  expect([...w.left]).toEqual(ALL)
  await gc()
  expect([...w.left]).toEqual([])
})

test('STATUS asks the overlay and every network that all pods get, and tells what is not ready', async () => {
  const w = world()
  const { config } = addCall()
  const status = (): Promise<void> => w.agent().status({ verb: 'STATUS', path: [], config }, 'weft')
  await status()
  expect(w.log.splice(0)).toEqual(['status overlay'])
  w.resolving = {
    ...RESOLVING,
    defaults: { ...RESOLVING.defaults, clusterNetwork: 'first', defaultNetworks: ['second'] },
  }
  await status()
  expect(w.log.splice(0)).toEqual(['status overlay', 'status a', 'status b', 'status c', 'status d'])
  w.trouble = (step) => {
    if (step === 'status d') throw new CniError('x', 7, 'no wire', 'lay one')
  }
  await expect(status()).rejects.toEqual(
    expect.objectContaining({
      code: 50,
      message: expect.stringContaining('network second: no wire'),
    }),
  )
})

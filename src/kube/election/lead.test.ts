import { describe, expect, test } from 'bun:test'
import type { KubeApi } from '../api.ts'
import { KubeError } from '../errors.ts'
import { LEASES } from '../resources.ts'
import { MemoryApi } from '../testing/memory-api.ts'
import { VirtualTime } from '../testing/virtual-time.ts'
import { fencedApi } from './fenced.ts'
import { lead } from './lead.ts'
import { checkedTiming, identityOf, TIMING } from './options.ts'
import type { Term } from './term.ts'

const LEASE = { namespace: 'kube-system', name: 'weft-controller' }

/** What can be wrong with a request: it is refused, or done, and no answer comes. */
type Trouble = 'refused' | 'nowhere' | 'never-arrives' | 'answer-lost' | undefined

function setUp() {
  const time = new VirtualTime()
  const api = new MemoryApi()
  const log: string[] = []
  const errors: unknown[] = []
  const trouble: Record<string, Trouble> = {}

  /** Everybody reaches the same server, each by a line of their own. */
  const lineOf = (name: string): KubeApi => {
    const through = async <T>(call: () => Promise<T>): Promise<T> => {
      const now = trouble[name]
      if (now === 'refused') throw new KubeError('KUBE_UNAVAILABLE', 'no connection', 'wait')
      if (now === 'never-arrives') return new Promise<T>(() => undefined)
      const answer = await call()
      return trouble[name] === 'answer-lost' ? new Promise<T>(() => undefined) : answer
    }
    return {
      ...fencedApi(api, ALWAYS),
      get: (resource, at) => through(() => api.get(resource, at)),
      create: (resource, object) =>
        through(() => {
          if (trouble[name] === 'nowhere') throw new KubeError('KUBE_NOT_FOUND', 'no such namespace', 'make it')
          return api.create(resource, object)
        }),
      replace: (resource, object, part) => through(() => api.replace(resource, object, part)),
    }
  }

  const contend = (name: string, work?: (term: Term) => Promise<void>) => {
    const ending = new AbortController()
    const terms: Term[] = []
    const done = lead(
      {
        api: lineOf(name),
        lease: LEASE,
        identity: name,
        now: time.now,
        sleep: time.sleep,
        random: () => 0,
        onError: (error) => errors.push(error),
        onLeader: (holder) => log.push(`${name} sees ${holder}`),
      },
      async (term) => {
        terms.push(term)
        log.push(`${name} leads`)
        await (work ?? untilOver)(term)
        log.push(`${name} ends`)
      },
      ending.signal,
    )
    return { terms, done, stop: () => ending.abort() }
  }
  const record = async () => (await api.get(LEASES, LEASE))?.['spec'] as Record<string, unknown> | undefined
  return { time, api, log, errors, trouble, contend, record }
}

const ALWAYS: Term = { number: 0, signal: new AbortController().signal, assertHeld: () => undefined }

function untilOver({ signal }: Term): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const holds = (term: Term | undefined): boolean => {
  try {
    term?.assertHeld()
    return term !== undefined
  } catch (error) {
    if (error instanceof KubeError && error.code === 'KUBE_LEASE_LOST') return false
    throw error
  }
}

describe('lead', () => {
  test('one leads, renews, and gives the lease back when it stops', async () => {
    const { time, log, contend, record } = setUp()
    const [a, b] = [contend('a'), contend('b')]
    await time.pass(60_000)
    expect(log).toEqual(['a sees a', 'a leads', 'b sees a'])
    expect(await record()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 })
    expect(holds(a.terms[0])).toBe(true)
    a.stop()
    expect(holds(a.terms[0])).toBe(false)
    await time.pass(0)
    await a.done
    expect(await record()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
    await time.pass(2_000)
    expect(log.slice(3)).toEqual(['a ends', 'b sees b', 'b leads'])
    expect(b.terms[0]?.number).toBe(1)
    b.stop()
    await time.pass(0)
    await b.done
  })

  test('what others have put on the lease stays there when it is taken, renewed and given back', async () => {
    const { time, api, contend } = setUp()
    const metadata = { ...LEASE, labels: { team: 'network' }, annotations: { note: 'x' } }
    await api.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { strategy: 'y' } })
    const a = contend('a')
    const expectTheirs = async () =>
      expect(await api.get(LEASES, LEASE)).toEqual(
        expect.objectContaining({
          metadata: expect.objectContaining({ labels: { team: 'network' }, annotations: { note: 'x' } }),
          spec: expect.objectContaining({ strategy: 'y' }),
        }),
      )
    await time.pass(1_000)
    await expectTheirs()
    await time.pass(60_000)
    await expectTheirs()
    a.stop()
    await time.pass(0)
    await a.done
    await expectTheirs()
  })

  test.each(['refused', 'never-arrives', 'answer-lost'] as const)(
    'who cannot renew (%s) ends before the next one begins, and waits for its work',
    async (what) => {
      const { time, log, trouble, contend } = setUp()
      const slow = Promise.withResolvers<void>()
      const a = contend('a', async (term) => {
        await untilOver(term)
        log.push('a winds down')
        await slow.promise
      })
      await time.pass(3_000)
      const b = contend('b')
      await time.pass(1_000)
      trouble['a'] = what
      await time.pass(11_000)
      expect(log).toEqual(['a sees a', 'a leads', 'b sees a', 'a winds down'])
      expect(holds(a.terms[0])).toBe(false)
      await time.pass(8_000)
      // What was sent and not answered counts for b, too.
      await time.pass(what === 'answer-lost' ? 10_000 : 0)
      expect(log.at(-1)).toBe('b leads')
      trouble['a'] = undefined
      slow.resolve()
      await time.pass(30_000)
      expect(log.slice(-2)).toEqual(['a ends', 'a sees b'])
      for (const one of [a, b]) one.stop()
      await time.pass(0)
      await Promise.all([a.done, b.done])
    },
  )

  test('who was stopped and goes on learns at once that it does not lead', async () => {
    const { time, contend } = setUp()
    const a = contend('a')
    await time.pass(5_000)
    time.freeze(5_999)
    expect(holds(a.terms[0])).toBe(true)
    time.freeze(4_001)
    expect(a.terms[0]?.signal.aborted).toBe(false)
    expect(holds(a.terms[0])).toBe(false)
    expect(a.terms[0]?.signal.aborted).toBe(true)
    a.stop()
    await time.pass(0)
    await a.done
  })

  test('a clock that jumps ahead ends a term, one that jumps back does not', async () => {
    const { time, contend } = setUp()
    const a = contend('a')
    await time.pass(5_000)
    time.wallOffset -= 3_600_000
    expect(holds(a.terms[0])).toBe(true)
    await time.pass(30_000)
    expect(a.terms).toHaveLength(1)
    time.wallOffset += 3_600_000
    expect(holds(a.terms[0])).toBe(false)
    await time.pass(17_000)
    expect(holds(a.terms[1])).toBe(true)
    expect(a.terms[1]?.number).toBe(1)
    a.stop()
    await time.pass(0)
    await a.done
  })

  test('work that ends by itself ends it all; what it throws comes out, but for the loss of the lease', async () => {
    const { time, contend, record, log } = setUp()
    const mistake = new TypeError('a mistake')
    const broken = contend('broken', () => Promise.reject(mistake))
    const outcome = broken.done.catch((error: unknown) => error)
    await time.pass(0)
    expect(await outcome).toBe(mistake)
    expect(await record()).toMatchObject({ holderIdentity: '' })
    const short = contend('short', () => Promise.resolve())
    await time.pass(0)
    await short.done
    expect(await record()).toMatchObject({ holderIdentity: '' })
    const a = contend('a', async (term) => {
      await untilOver(term)
      term.assertHeld()
    })
    await time.pass(1_000)
    time.wallOffset += 60_000
    await time.pass(30_000)
    expect(log.filter((line) => line === 'a leads')).toHaveLength(2)
    a.stop()
    await time.pass(0)
    await a.done
  })

  test('whoever cannot make the lease says why, and keeps trying', async () => {
    const { time, trouble, contend, errors } = setUp()
    trouble['a'] = 'nowhere'
    const a = contend('a')
    await time.pass(5_000)
    expect(errors.length).toBeGreaterThan(1)
    expect(errors[0]).toMatchObject({ code: 'KUBE_NOT_FOUND' })
    trouble['a'] = undefined
    await time.pass(2_000)
    expect(holds(a.terms[0])).toBe(true)
    a.stop()
    await time.pass(0)
    await a.done
  })

  test('a lease of garbage belongs to nobody', async () => {
    const { time, api, contend } = setUp()
    const spec = { holderIdentity: 7, leaseDurationSeconds: -1, leaseTransitions: 'x', renewTime: {} }
    await api.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: LEASE, spec })
    const a = contend('a')
    await time.pass(1_000)
    expect(a.terms[0]?.number).toBe(1)
    a.stop()
    await time.pass(0)
    await a.done
  })
})

test.each([
  [{ ...TIMING, renewDeadline: 14_000 }],
  [{ ...TIMING, retryPeriod: 5_000 }],
  [{ ...TIMING, retryPeriod: 0 }],
  [{ ...TIMING, leaseDuration: Number.NaN }],
  [{ leaseDuration: 1e9, renewDeadline: 1e8, retryPeriod: 1e6 }],
])('times that do not fit are refused: %j', (timing) => {
  expect(() => checkedTiming(timing)).toThrow('do not fit')
})

test('two processes of one host have two names', () => {
  expect(identityOf('node-1')).toStartWith('node-1_')
  expect(identityOf('node-1')).not.toBe(identityOf('node-1'))
})

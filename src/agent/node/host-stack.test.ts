import { expect, test } from 'bun:test'
import { SAMPLE_SERVICES, samplePlanner } from '../../../test/tables/sample-node.ts'
import type { HostPlan } from '../../network/host.ts'
import { type IpRange, parseIpRange } from '../../network/model/ip-range.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { HostStack } from './host-stack.ts'

/** A stack that takes each plan only when let. */
class SlowStack {
  readonly applied: HostPlan[] = []
  readonly #waiting: (() => void)[] = []
  #most = 0
  #running = 0

  readonly apply = async (plan: HostPlan): Promise<void> => {
    this.#running += 1
    this.#most = Math.max(this.#most, this.#running)
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running -= 1
    this.applied.push(plan)
  }

  get most(): number {
    return this.#most
  }

  /** Lets what waits go on, until nothing is left that could. */
  async letAll(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) {
      await Promise.resolve()
      this.#waiting.shift()?.()
    }
  }

  /** Whether what was applied last publishes this port. */
  publishes(port: number): boolean {
    return this.applied.at(-1)?.nftables.includes(String(port)) ?? false
  }
}

function addNodePort(planner: NodePlanner, nodePort: number): void {
  const [service] = SAMPLE_SERVICES
  if (service === undefined) throw new Error('there are sample services')
  planner.putService({
    ...service,
    name: `on-${nodePort}`,
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort }],
  })
}

test('a node port that comes while everything is applied is not overwritten by the older plan', async () => {
  const planner = samplePlanner()
  const slow = new SlowStack()
  const stack = new HostStack(slow.apply)
  const first = stack.apply(planner)
  await Promise.resolve()
  addNodePort(planner, 31_111)
  const published = stack.publish(planner)
  await slow.letAll()
  await Promise.all([first, published])
  expect(slow.publishes(31_111)).toBe(true)
  expect(slow.most).toBe(1)
})

test('everything is applied as it is planned when its turn comes', async () => {
  const planner = samplePlanner()
  const slow = new SlowStack()
  const stack = new HostStack(slow.apply)
  const first = stack.apply(planner)
  const second = stack.apply(planner)
  addNodePort(planner, 31_112)
  await slow.letAll()
  await Promise.all([first, second])
  expect(slow.publishes(31_112)).toBe(true)
})

test('nothing is published before everything was applied, nor what did not change', async () => {
  const planner = samplePlanner()
  const slow = new SlowStack()
  const stack = new HostStack(slow.apply)
  await stack.publish(planner)
  expect(stack.applied).toBe(false)
  const first = stack.apply(planner)
  await slow.letAll()
  await first
  await stack.publish(planner)
  expect([stack.applied, slow.applied.length]).toEqual([true, 1])
})

test('what failed is not taken as published', async () => {
  const planner = samplePlanner()
  let fails = false
  const stack = new HostStack(async () => {
    if (fails) throw new Error('nft refused')
  })
  await stack.apply(planner)
  addNodePort(planner, 31_113)
  fails = true
  await expect(stack.publish(planner)).rejects.toThrow('nft refused')
  // The next one tries again.
  await expect(stack.publish(planner)).rejects.toThrow('nft refused')
})

test('what an administrator leads guests to is applied when it is another, and not again while it is the same', async () => {
  const planner = samplePlanner()
  const applied: HostPlan[] = []
  const first = parseIpRange('198.51.100.7')
  if (first === undefined) throw new Error('it is an address')
  let hijacked: readonly IpRange[] = []
  const stack = new HostStack(
    async (plan) => void applied.push(plan),
    async () => hijacked,
  )
  await stack.publish(planner)
  expect(applied).toEqual([])
  await stack.apply(planner)
  await stack.publish(planner)
  expect(applied).toHaveLength(1)
  hijacked = [first]
  await stack.publish(planner)
  await stack.publish(planner)
  expect(applied.map(({ nftables }) => nftables.includes(first.first))).toEqual([false, true])
})

test('after one that failed nobody believes what was applied before it: the next look applies again', async () => {
  const planner = samplePlanner()
  let isFailing = false
  let applied = 0
  const stack = new HostStack(async () => {
    if (isFailing) throw new Error('the request was cut off')
    applied += 1
  })
  await stack.apply(planner)
  isFailing = true
  await expect(stack.apply(planner)).rejects.toThrow('cut off')
  isFailing = false
  expect(await stack.publish(planner)).toBeDefined()
  expect(applied).toBe(2)
  expect(await stack.publish(planner)).toBeUndefined()
})

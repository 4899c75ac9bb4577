/**
 * Ranges that come and go with pods: a node outgrows its first one, others reach what it got, an agent dies on the way, and what
 * is empty is given back.
 * @module
 */
import { equal, match, ok } from 'node:assert/strict'
import { contains } from '../../src/network/model/address.ts'
import type { NodeNetwork } from '../../src/network/model/node.ts'
import { ping } from '../lab/fabric.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { Container, errorOf } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

/** Seven more than a range of eight addresses has for pods. */
const PODS = 12
/** Every range has fewer addresses for pods than these together. */
const MOST = 40

/** The scenario on a fabric. */
export function blocks(fabric: 'direct' | 'bgp'): Scenario {
  return {
    name: `blocks-${fabric}`,
    lab: { nodes: 2, fabric, blocks: 3 },
    steps: [
      { title: 'a node outgrows its first range, and gets further ones ahead of its pods', run: grows },
      { title: 'pods of every range are reached from the other node, and reach it', run: reached },
      { title: 'routes lead to each range; where the switch is not, packets end', run: routed },
      { title: 'an agent that is killed knows its ranges, and gives out no address twice', run: killed },
      { title: 'where there is no more, a pod is refused by a sentence that says what to do', run: full },
      { title: 'what is empty is given back, and the first range stays', run: shrinks },
      { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
    ],
  }
}

async function networkOf(lab: Lab, node = 'node1'): Promise<NodeNetwork> {
  const found = await lab.registry().get('NodeNetwork', node)
  if (found === undefined) throw new Error(`${node} has no network`)
  return found.value
}

function podsOf(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, n) => `shop/grow-${from + n}`)
}

async function add(lab: Lab, pods: readonly string[]): Promise<void> {
  for (const pod of pods) await lab.change('pod', 'add', pod, '--node', 'node1')
}

async function grows({ lab, say }: StepContext): Promise<void> {
  const [first] = (await networkOf(lab)).ranges
  await add(lab, podsOf(0, PODS))
  const { ranges } = await networkOf(lab)
  const addresses = podsOf(0, PODS).map((pod) => lab.address(pod))
  say(`${addresses.length} pods in ${ranges.join(' ')}`)
  equal(new Set(addresses).size, PODS)
  equal(ranges[0], first)
  const lived = new Set(addresses.map((address) => ranges.find((range) => contains(range, address))))
  ok(lived.size >= 3 && !lived.has(undefined), [...lived].join(' '))
}

async function reached({ lab, say }: StepContext): Promise<void> {
  for (const pod of podsOf(0, PODS))
    for (const family of [4, 6] as const)
      await eventually(`shop/db reaches ${pod}`, async () => {
        return (await ping(lab, 'shop/db', lab.address(pod, family))).code === 0
      })
  equal((await ping(lab, 'shop/grow-11', lab.address('shop/db'))).code, 0)
  const { stdout } = await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd())
}

async function routed({ lab, say }: StepContext): Promise<void> {
  const { ranges } = await networkOf(lab)
  const { netns } = lab.node(1)
  for (const [flag, isFamily] of [
    ['-4', (range: string) => !range.includes(':')],
    ['-6', (range: string) => range.includes(':')],
  ] as const) {
    const { stdout } = await lab.inside(netns, 'ip', flag, 'route', 'show', 'proto', '77')
    say(stdout.trimEnd())
    for (const range of ranges.filter(isFamily)) {
      ok(
        stdout.split('\n').some((line) => line.startsWith(`${range} via`)),
        `${range} has a way`,
      )
      ok(stdout.includes(`blackhole ${range} `), `${range} ends`)
    }
  }
}

async function killed({ lab }: StepContext): Promise<void> {
  const before = new Set(podsOf(0, PODS).map((pod) => lab.address(pod)))
  const command = lab.commandOf('node1-agent')
  lab.kill('node1-agent')
  // So that what is given back is soon free.
  lab.start('node1-agent', [...command, '--address-rest', '1', '--resync', '5'])
  await add(lab, podsOf(PODS, PODS + 2))
  for (const pod of podsOf(PODS, PODS + 2)) ok(!before.has(lab.address(pod)))
  for (const pod of podsOf(PODS, PODS + 2)) equal((await ping(lab, 'shop/db', lab.address(pod))).code, 0)
}

async function full({ lab, say }: StepContext): Promise<void> {
  const registry = lab.registry()
  const stored = await registry.get('Cluster', 'default')
  if (stored === undefined) throw new Error('no cluster configuration')
  const { ranges } = await networkOf(lab)
  const rangesPerNode = ranges.filter((range) => !range.includes(':')).length
  await registry.update('Cluster', 'default', { ...stored.value, rangesPerNode }, stored.revision)
  // The agent goes by what was there before until it hears of it.
  await Bun.sleep(2000)
  const containers: Container[] = []
  try {
    let refusal: { readonly code: number; readonly msg: string } | undefined
    while (refusal === undefined && containers.length < MOST) {
      const container = new Container(lab, `full-${containers.length}`).create()
      containers.push(container)
      const answer = await container.call('ADD')
      if (answer.code !== 0) refusal = errorOf(answer)
    }
    say(`${containers.length - 1} more, then: ${refusal?.code} ${refusal?.msg}`)
    equal(refusal?.code, 100)
    match(refusal?.msg ?? '', /no free address is left in (10\.|fd00:)/)
  } finally {
    for (const container of containers) {
      await container.call('DEL')
      container.remove()
    }
  }
  const later = await registry.get('Cluster', 'default')
  if (later !== undefined) await registry.update('Cluster', 'default', stored.value, later.revision)
}

async function shrinks({ lab, say }: StepContext): Promise<void> {
  const before = await networkOf(lab)
  for (const pod of podsOf(0, PODS + 2)) await lab.change('pod', 'delete', pod)
  await eventually(
    'the node has what its pods need',
    async () => {
      const { ranges, closing, status } = await networkOf(lab)
      return ranges.length <= before.ranges.length - 4 && closing === undefined && status?.unused === undefined
    },
    90_000,
  )
  const { ranges } = await networkOf(lab)
  say(`${before.ranges.join(' ')} → ${ranges.join(' ')}`)
  equal(ranges[0], before.ranges[0])
}

if (import.meta.main) await runScenario(blocks(process.argv[2] === 'bgp' ? 'bgp' : 'direct'))

/**
 * A playground's fabric: what its agents say of it, changes, and pings meanwhile.
 * @module
 */
import { ok } from 'node:assert/strict'
import type { Ip } from '../../src/network/model/address.ts'
import type { Fabric } from '../../src/network/model/cluster.ts'
import { eventually, type Lab } from './lab.ts'
import { describeTally, startPinger } from './pinger.ts'

const FAMILIES = [4, 6] as const

/** What `weft fabric show --json` says, as far as tests look. */
export interface ShownFabric {
  readonly ways: readonly {
    readonly node: string
    readonly peer: string
    readonly way: string
    readonly why?: string
  }[]
  readonly sessions: readonly {
    readonly node: string
    readonly remote?: string
    readonly isUp: boolean
    readonly routes?: { readonly imported: number }
  }[]
}

const NOTHING: ShownFabric = { ways: [], sessions: [] }

/** Nothing where no agent answers. */
export async function showFabric(lab: Lab): Promise<ShownFabric> {
  const { stdout } = await lab.weft('fabric', 'show', '--json', '--run-dir', lab.layout.runDir)
  return stdout.startsWith('{') ? JSON.parse(stdout) : NOTHING
}

/** Waits until packets of every node take this way to every other one, in both families. */
export async function everyWayIs(lab: Lab, wanted: Fabric['way']): Promise<void> {
  const nodes = lab.nodes().length
  const expected = FAMILIES.length * nodes * (nodes - 1)
  await eventually(`every way is ${wanted}`, async () => {
    const { ways } = await showFabric(lab)
    return ways.length === expected && ways.every(({ way }) => way === wanted)
  })
}

/** Changes it on the running cluster. */
export async function setFabric(lab: Lab, fabric: Fabric): Promise<void> {
  const registry = lab.registry()
  const stored = await registry.get('Cluster', 'default')
  if (stored === undefined) throw new Error('there is no ClusterNetwork')
  await registry.update('Cluster', 'default', { ...stored.value, fabric }, stored.revision)
}

/** Pings of both families from shop/web to shop/db, on another node, every 10 ms meanwhile; how many were lost of each. */
export async function pinging(
  lab: Lab,
  say: (line: string) => void,
  work: () => Promise<void>,
): Promise<readonly number[]> {
  const pingers = FAMILIES.map((family) => startPinger(lab.fd(lab.netns('shop/web')), lab.address('shop/db', family)))
  let lost: readonly number[] = []
  try {
    await Bun.sleep(300)
    await work()
  } finally {
    const tallies = await Promise.all(pingers.map((pinger) => pinger.stop()))
    for (const [i, tally] of tallies.entries()) say(`IPv${FAMILIES[i]}: ${describeTally(tally)}`)
    lost = tallies.map((tally) => tally.lost)
  }
  return lost
}

/** Three pings from a pod. */
export function ping(lab: Lab, from: string, to: Ip): Promise<{ readonly code: number; readonly stdout: string }> {
  return lab.inside(lab.netns(from), 'ping', '-c', '3', '-i', '0.1', '-W', '1', to)
}

export function notReached({ code }: { readonly code: number }): void {
  ok(code !== 0, 'a pod that must not answer answers')
}

/**
 * What policies cost traffic: pods of one node and of two, without a policy, with one, and with a thousand that all
 * speak of both pods. The states take turns, so that a machine that is busy otherwise is so for all of them.
 * @module
 */
import { hostCidr, type Ip, ip } from '../../src/network/model/address.ts'
import type { Policy } from '../../src/network/model/policy.ts'
import { median, type Result } from '../result.ts'
import { attachPod, type Pod } from '../rig/pods.ts'
import { type Rig, TENANT } from '../rig/rig.ts'
import { type Effort, type Speed, speedBetween } from '../rig/speed.ts'

const MANY = 1_000
const PATIENCE_MS = 30_000
const STATES = ['no policy', 'one policy', `${MANY} policies`] as const

type State = (typeof STATES)[number]

/** One line per path, number and state, each beside the same without policies. */
export async function measurePolicyTraffic(rig: Rig, rounds: number, effort: Effort): Promise<readonly Result[]> {
  const client = attachPod(rig, rig.node(0))
  const paths = [
    ['on one node', attachPod(rig, rig.node(0))],
    ['across nodes', attachPod(rig, rig.node(1))],
  ] as const
  const seen = new Map<string, Speed[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const state of STATES) {
      const policies = policiesOf(state, client)
      await impose(rig, policies)
      const arrives = policies.length === 0
      for (const [path, server] of paths) {
        await settled(client, server, arrives)
        const speeds = seen.get(`${path} ${state}`) ?? []
        seen.set(`${path} ${state}`, [...speeds, await speedBetween(client, server, effort)])
      }
      await lift(rig, policies)
    }
  }
  return paths.flatMap(([path]) => linesOf(path, (state) => seen.get(`${path} ${state}`) ?? []))
}

/** Everything but TCP of the client is denied: a ping that no longer arrives tells that a policy is in force. */
function policiesOf(state: State, client: Pod): readonly Policy[] {
  if (state === 'no policy') return []
  const others = state === 'one policy' ? 0 : MANY - 1
  return [
    policy('client', client.address as Ip),
    ...Array.from({ length: others }, (_, n) => policy(`other-${n}`, ip(`198.18.${n >> 8}.${n & 255}`))),
  ]
}

function policy(name: string, from: Ip): Policy {
  const peers = [{ type: 'range', range: hostCidr(from), except: [] } as const]
  const ports = [{ type: 'protocol', protocol: 'TCP' } as const]
  const subject = { namespaces: { name: TENANT }, pods: [] }
  const rule = { action: 'allow', peers, ports } as const
  return { kind: 'NetworkPolicy', namespace: TENANT, name, tier: 'namespace', priority: 0, subject, ingress: [rule] }
}

async function impose({ registry }: Rig, policies: readonly Policy[]): Promise<void> {
  for (const one of policies) await registry.create('NetworkPolicy', `${TENANT}/${one.name}`, one)
}

async function lift({ registry }: Rig, policies: readonly Policy[]): Promise<void> {
  for (const one of policies) await registry.delete('NetworkPolicy', `${TENANT}/${one.name}`)
}

async function settled(client: Pod, server: Pod, arrives: boolean): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while ((await pings(client, server)) !== arrives) {
    if (performance.now() > until) throw new Error(`policies were not in force after ${PATIENCE_MS / 1000} s`)
    await Bun.sleep(100)
  }
  // What the last policy of many brings may still be under way.
  await Bun.sleep(500)
}

async function pings({ netns }: Pod, { address }: Pod): Promise<boolean> {
  const argv = ['ip', 'netns', 'exec', netns, 'ping', '-n', '-c', '1', '-W', '1', address]
  return (await Bun.spawn(argv, { stdout: 'ignore', stderr: 'ignore' }).exited) === 0
}

function linesOf(path: string, speeds: (state: State) => readonly Speed[]): readonly Result[] {
  const numbers = [
    ['one TCP stream', 'Gbit/s', 'gigabits'],
    ['round trip p50', 'µs', 'roundTrip'],
    ['round trip p99', 'µs', 'slowRoundTrip'],
    ['connection and first answer p50', 'µs', 'connect'],
  ] as const
  return STATES.slice(1).flatMap((state) =>
    numbers.map(([what, unit, key]) => ({
      what: `${what} ${path}, ${state}`,
      unit,
      ours: median(speeds(state).map((speed) => speed[key])),
      peer: median(speeds('no policy').map((speed) => speed[key])),
      peerName: 'no policy',
    })),
  )
}

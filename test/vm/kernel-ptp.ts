/**
 * Pods with a leg to their node, on ipvlan in each of its modes and on macvlan, inside the guest that `main.ts` starts: a service's
 * endpoint sees the pod's own address, node and pod reach each other, each packet takes the right one of two ways, and nothing is left of a
 * pod whose namespace is gone. Prints a table, and ends with 1 when something is not as it should be.
 * @module
 */
import {
  AT,
  type Family,
  NODE_PORT,
  PORT,
  ptpConfig,
  Site,
  type Wire,
} from '../../src/agent/plugins/ptp/testing/site.ts'
import type { Scratch } from '../../src/linux/testing/scratch.ts'
import { ip } from '../../src/network/model/address.ts'
import { call } from '../lab/calls.ts'
import { run } from '../lab/command.ts'

const WIRES: Readonly<Record<string, Wire>> = {
  'ipvlan l2': { type: 'ipvlan', mode: 'l2' },
  'ipvlan l3': { type: 'ipvlan', mode: 'l3' },
  'ipvlan l3s': { type: 'ipvlan', mode: 'l3s' },
  macvlan: { type: 'macvlan' },
}
/** The guest is emulated, and the first packets after a link is made may be lost. */
const ATTEMPTS = 20

/** One question: who calls what, whom the server sees, and which pairs of addresses are, and are not, seen on the leg. */
interface Case {
  readonly what: string
  readonly from: keyof Pick<Site, 'pod' | 'node' | 'far'>
  readonly to: keyof typeof AT
  readonly port: number
  readonly server: string
  /** As the server sees it. */
  readonly client: keyof typeof AT
  readonly byLeg: boolean
}

const CASES: readonly Case[] = [
  {
    what: 'pod → service, endpoint on the wire',
    from: 'pod',
    to: 'service',
    port: 80,
    server: 'far',
    client: 'pod',
    byLeg: true,
  },
  {
    what: 'pod → service, the other pod',
    from: 'pod',
    to: 'otherService',
    port: 80,
    server: 'other',
    client: 'pod',
    byLeg: true,
  },
  {
    what: 'pod → service, the node',
    from: 'pod',
    to: 'nodeService',
    port: 80,
    server: 'node',
    client: 'pod',
    byLeg: true,
  },
  { what: 'pod → node', from: 'pod', to: 'node', port: PORT, server: 'node', client: 'pod', byLeg: true },
  { what: 'node → pod', from: 'node', to: 'pod', port: PORT, server: 'pod', client: 'node', byLeg: true },
  {
    what: 'neighbour → node port → pod',
    from: 'far',
    to: 'node',
    port: NODE_PORT,
    server: 'pod',
    client: 'far',
    byLeg: true,
  },
  { what: 'pod → the other pod', from: 'pod', to: 'other', port: PORT, server: 'other', client: 'pod', byLeg: false },
  { what: 'pod → neighbour', from: 'pod', to: 'far', port: PORT, server: 'far', client: 'pod', byLeg: false },
  { what: 'neighbour → pod', from: 'far', to: 'pod', port: PORT, server: 'pod', client: 'far', byLeg: false },
]

const failures: string[] = []
for (const [name, wire] of Object.entries(WIRES)) {
  using site = new Site('wefttest-vm-ptp')
  await site.kubeProxy()
  if (wire.type === 'ipvlan' && wire.mode !== 'l2') site.routeToPods()
  const result = await site.attach(wire)
  await site.attach(wire, {}, site.otherCall({}))
  await site.plugin('unnumbered-ptp').check({ ...site.call(ptpConfig()), prevResult: result })
  console.log(`\n${name}\n${line('', 'IPv4', 'IPv6', 'the server sees', 'way')}`)
  for (const one of CASES) {
    // In this mode the node itself hands over to the pod what is for it, translated or not.
    const isLed = name === 'ipvlan l3s' && one.port === NODE_PORT
    const expected = isLed ? { ...one, byLeg: false } : one
    const [four, six] = [await ask(site, expected, 4), await ask(site, expected, 6)]
    console.log(line(one.what, four ?? 'ok', six ?? 'ok', one.client, expected.byLeg ? 'leg' : 'wire'))
    for (const failure of [four, six]) if (failure !== undefined) failures.push(`${name}: ${one.what}: ${failure}`)
  }
  // The pods' namespaces end, and take their links along; then the runtime says so.
  for (const [at, container] of [
    [site.pod, 'c1'],
    [site.other, 'c2'],
  ] as const) {
    await site.endPod(at, container)
    const { netns: _, ...gone } = site.call(ptpConfig(), { containerId: container })
    await site.plugin('unnumbered-ptp').del(gone)
  }
  const left = await leftOn(site.name)
  console.log(line('DEL after the pods’ namespaces', left.length === 0 ? 'nothing left' : left.join('; ')))
  failures.push(...left.map((one) => `${name}: left: ${one}`))
}
for (const failure of failures) console.log(failure)
console.log(failures.length === 0 ? '\nas it should be' : '\nnot as it should be')
process.exit(failures.length === 0 ? 0 : 1)

/** What is wrong with an answer; undefined when it is as it should be. */
async function ask(
  site: Site,
  { from, to, port, server, client, byLeg }: Case,
  family: Family,
): Promise<string | undefined> {
  const leg = site.watch(site.node, site.leg())
  try {
    const answer = await seen(site[from], AT[to][family], port)
    if (answer === undefined) return 'no answer'
    if (answer.server !== server) return `${answer.server} answers`
    if (answer.client !== AT[client][family]) return `sees ${answer.client}`
    // What the node translated is on the leg between pod and the one it thinks it talks to.
    const other = from === 'pod' ? AT[to][family] : AT[from][family]
    const isOnLeg = leg.pairs.has(`${AT.pod[family]}>${other}`) || leg.pairs.has(`${other}>${AT.pod[family]}`)
    if (isOnLeg !== byLeg) return isOnLeg ? 'by the leg' : 'not by the leg'
    return leg.pairs.has('a redirect') ? 'a redirect' : undefined
  } finally {
    leg.close()
  }
}

async function seen({ nsFd }: Scratch, address: string, port: number) {
  for (let tries = 1; ; tries += 1) {
    const answer = await call(`/proc/self/fd/${nsFd}`, ip(address), port)
    if (answer !== undefined || tries === ATTEMPTS) return answer
  }
}

/** What of legs is on the node: rules, routes, links, tables. */
async function leftOn(netns: string): Promise<readonly string[]> {
  const enter = ['ip', 'netns', 'exec', netns]
  const commands = [
    ['sh', '-c', 'ip rule show | grep "proto 79"'],
    ['sh', '-c', 'ip -6 rule show | grep "proto 79"'],
    ['ip', 'route', 'show', 'table', 'all', 'proto', '79'],
    ['ip', '-6', 'route', 'show', 'table', 'all', 'proto', '79'],
    ['sh', '-c', 'ip -o link show | grep weft'],
    ['sh', '-c', 'nft list tables | grep weft'],
  ]
  const found = await Promise.all(commands.map(async (words) => (await run([...enter, ...words])).stdout))
  return found.flatMap((text) => text.split('\n')).filter((one) => one.trim() !== '')
}

function line(what: string, ...cells: readonly string[]): string {
  return [what.padEnd(40), ...cells.map((cell) => cell.padEnd(8))].join(' ').trimEnd()
}

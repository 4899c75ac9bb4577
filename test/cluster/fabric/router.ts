/**
 * A router outside of the cluster that nodes speak BGP with, as Calico's objects say: a BIRD of the rig's own.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProcess, until } from '../../../src/playground/processes.ts'
import { run } from '../../lab/command.ts'
import type { Cluster } from '../cluster.ts'
import { controlAddress } from '../places.ts'
import type { Report } from '../report.ts'
import { agentPods, inAgent } from './shown.ts'

const CRDS = join(import.meta.dir, '../../../deploy/crds/calico')
const OWN_AS = 65_001
const CLUSTER_AS = 64_512
const PATIENCE = 60_000

/** A router hears of every node's pods; an object that cannot be read is told, and the rest holds. */
export async function showRouter(rig: Cluster, report: Report): Promise<void> {
  report.section('A router outside, by a BGPPeer')
  await rig.ask('apply', '-k', CRDS)
  await rig.ask('wait', '--for=condition=established', 'crd', '--all', '--timeout=30s')
  const socket = startRouter(rig)
  await rig.apply(bgpPeer('router', { peerIP: controlAddress(), asNumber: OWN_AS }))
  const routes = async (): Promise<string> => {
    const { code, stdout } = await run(['birdc', '-s', socket, 'show', 'route'])
    return code === 0 ? stdout.split('\n').slice(1).join('\n').trim() : 'it does not answer'
  }
  const nodes = rig.places.nodes
  const knows = await until(async () => {
    const said = await routes()
    return nodes.every(({ addresses: [address] }) => said.includes(`via ${address} `))
  }, PATIENCE)
  report.check(knows, 'it hears from every node of that node’s pods')
  report.note(await routes())
  await showWrong(rig, report)
  await rig.ask('delete', 'bgppeers.crd.projectcalico.org', 'router')
  const forgets = await until(async () => (await routes()) === '', PATIENCE)
  report.check(forgets, 'without the BGPPeer it hears of nothing')
}

async function showWrong(rig: Cluster, report: Report): Promise<void> {
  await rig.apply(bgpPeer('wrong', { nodeSelector: 'rack == a', peerIP: controlAddress(), asNumber: OWN_AS }))
  const told = async (): Promise<readonly string[]> => {
    const said = await Promise.all((await agentPods(rig)).map((agent) => inAgent(rig, agent, 'weft', 'status')))
    return said.flatMap(
      ({ stdout }) =>
        /BGPPeer wrong spec\.nodeSelector: .*? correct the selector/.exec(stdout.replaceAll(/\s+/g, ' '))?.[0] ?? [],
    )
  }
  const isTold = await until(async () => (await told()).length === rig.places.nodes.length, PATIENCE)
  report.check(isTold, 'a selector that cannot be read is told by weft status on every node')
  for (const line of await told()) report.note(line)
  await rig.ask('delete', 'bgppeers.crd.projectcalico.org', 'wrong')
  const isOver = await until(async () => (await told()).length === 0, PATIENCE)
  report.check(isOver, 'and no more when it is gone')
}

/** Starts it where the control plane is; returns its control socket. The rig's end is its end. */
function startRouter({ places: { layout, nodes } }: Cluster): string {
  const inFolder = (name: string): string => join(layout.runDir, name)
  const [file, socket] = [inFolder('router.conf'), inFolder('router.ctl')]
  const peers = nodes.map(
    ({ name, addresses: [address] }) =>
      `protocol bgp ${name} { local as ${OWN_AS}; neighbor ${address} as ${CLUSTER_AS}; ipv4 { import all; export none; }; }`,
  )
  writeFileSync(file, [`router id ${controlAddress()};`, 'protocol device {}', ...peers, ''].join('\n'))
  const argv = ['bird', '-f', '-c', file, '-s', socket, '-P', inFolder('router.pid')]
  startProcess(layout, { role: 'outside-bird', netns: layout.outsideNetns, argv })
  return socket
}

function bgpPeer(name: string, spec: object): object {
  return { apiVersion: 'crd.projectcalico.org/v1', kind: 'BGPPeer', metadata: { name }, spec }
}

/**
 * OpenShift's egress firewall: what leaves the cluster, by ranges and by DNS names.
 * @module
 */

import { writeFileSync } from 'node:fs'
import type { KubeObject } from '../../../src/kube/object.ts'
import { familyOf, type Ip, ip } from '../../../src/network/model/address.ts'
import type { Pod } from '../../../src/network/model/pod.ts'
import { serveDns } from '../../../src/playground/dns/server.ts'
import { ClusterZone } from '../../../src/playground/dns/zone.ts'
import { netnsPath } from '../../../src/playground/layout.ts'
import { startProcess } from '../../../src/playground/processes.ts'
import { output } from '../../lab/command.ts'
import { allow, called, firewall, range, rule } from '../../tables/policy/objects.ts'
import type { Cluster } from '../cluster.ts'
import { hostPath } from '../node-host.ts'
import { controlAddress } from '../places.ts'
import type { Report } from '../report.ts'
import { type ApiWorld, readWorld } from './api-world.ts'
import { checkAsked } from './asking.ts'
import { oracleSays, type Question } from './questions.ts'
import { policyObject } from './steering.ts'

const NAMED = ['203.0.113.7', '2001:db8:200::7'] as const
const RENAMED = ['203.0.113.8', '2001:db8:200::8'] as const
const IN_RANGE = '198.51.100.7'
const OUTSIDE: readonly Ip[] = [...NAMED, ...RENAMED, IN_RANGE, '198.51.100.200'].map(ip)
const SERVER = 'outside'
const NAME = 'web.out.svc.rig.test'
/** A name's answers are kept for as long as they say, and asked for again then. */
const PATIENCE = 45_000

const POLICY = firewall('x', 'default', [
  allow([called(NAME)]),
  allow([range('198.51.100.0/25')]),
  rule('deny', { peers: [range('0.0.0.0/0')] }),
])

/** Has nodes ask the host outside for DNS names. To be called before their agents come. */
export function useOutsideDns(rig: Cluster): void {
  for (const node of rig.places.nodes) {
    writeFileSync(hostPath(node, '/etc/resolv.conf'), `nameserver ${controlAddress()}\n`)
  }
}

/** Shows it. `program` serves outside. */
export async function showFirewall(rig: Cluster, program: string, report: Report): Promise<void> {
  report.section('An EgressNetworkPolicy: a DNS name, a range, and nothing else')
  const { layout } = rig.places
  const zone = new ClusterZone('rig.test')
  const dns = serveDns({ zone, netns: netnsPath(layout.outsideNetns), addresses: [controlAddress()] })
  try {
    for (const address of OUTSIDE) {
      const prefix = familyOf(address) === 4 ? 32 : 128
      await output(['ip', '-n', layout.outsideNetns, 'address', 'replace', `${address}/${prefix}`, 'dev', 'lo'])
    }
    const argv = [program, 'serve', SERVER, '80']
    startProcess(layout, { role: 'outside-server', netns: layout.outsideNetns, argv })
    zone.setService(named(NAMED))
    await showFor(rig, report, new Map(), 'no policy: everything is reached')
    await rig.apply(policyObject(POLICY))
    await showFor(rig, report, namesOf(NAMED), `${NAME} is ${NAMED.join(' and ')}`)
    zone.setService(named(RENAMED))
    await showFor(rig, report, namesOf(RENAMED), `${NAME} is ${RENAMED.join(' and ')} now`)
  } finally {
    dns.close()
  }
  await rig.ask('delete', 'egressnetworkpolicies.network.openshift.io', 'default', '-n', 'x')
}

/** Asked by a pod that it is about on each node, and by one that it is not. */
async function showFor(rig: Cluster, report: Report, names: ApiWorld['names'], what: string): Promise<void> {
  const world = await readWorld(rig, names)
  for (const [namespace, name] of [
    ['x', 'a'],
    ['x', 'b'],
    ['y', 'a'],
  ]) {
    const pod = world.pods.find((one) => one.namespace === namespace && one.name === name)
    if (pod === undefined) throw new Error(`there is no ${namespace}/${name}`)
    const questions = questionsOutside(pod)
    const expected = oracleSays(world, questions)
    const reached = questions.filter((_, i) => expected[i] === true).map(({ address }) => address)
    const line = `${namespace}/${name} on ${pod.node}, ${what}: ${[...new Set(reached)].join(', ')}`
    await checkAsked(rig, report, line, [pod, questions, expected, PATIENCE])
  }
}

function questionsOutside(pod: Pod): readonly Question[] {
  return OUTSIDE.flatMap((address) => {
    const own = pod.addresses.find((one) => familyOf(one) === familyOf(address))
    if (own === undefined) return []
    const source = { type: 'pod', pod, address: own } as const
    const connection = {
      source,
      destination: { type: 'outside', address } as const,
      protocol: 'TCP',
      port: 80,
    } as const
    return [{ connection, address, port: 80, answerer: SERVER }]
  })
}

function namesOf(addresses: readonly string[]): ApiWorld['names'] {
  return new Map([[NAME, addresses.map(ip)]])
}

function named(addresses: readonly string[]): KubeObject {
  const spec = { clusterIP: addresses[0], clusterIPs: addresses }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'out', name: 'web' }, spec }
}

/**
 * The rules that k8s-ovs and OpenShift SDN leave in iptables. They are named word by word, as their owners wrote them:
 * whatever else is there stays. Theirs is iptables, so this asks iptables, whichever of the two it is on this host.
 * @module
 */
import type { Cidr } from '../../network/model/address.ts'

/** A rule: table, chain, and its words as iptables takes them. */
type Rule = readonly [table: string, chain: string, ...words: string[]]

const said = (comment: string): readonly string[] => ['-m', 'comment', '--comment', comment]

/** What k8s-ovs adds for a cluster's range of pods. */
function looseRules(pods: Cidr, port: number): readonly Rule[] {
  return [
    ['nat', 'POSTROUTING', '-s', pods, '-j', 'MASQUERADE'],
    [
      'filter',
      'INPUT',
      '-p',
      'udp',
      '-m',
      'multiport',
      '--dports',
      String(port),
      ...said('001 vxlan incoming'),
      '-j',
      'ACCEPT',
    ],
    ['filter', 'INPUT', '-i', 'tun0', ...said('traffic from SDN'), '-j', 'ACCEPT'],
    ['filter', 'INPUT', '-i', 'docker0', ...said('traffic from docker'), '-j', 'ACCEPT'],
    ['filter', 'FORWARD', '-d', pods, '-j', 'ACCEPT'],
    ['filter', 'FORWARD', '-s', pods, '-j', 'ACCEPT'],
  ]
}

/** Where OpenShift SDN leads to chains of its own. */
const JUMPS: readonly Rule[] = [
  ['filter', 'INPUT', ...said('firewall overrides'), '-j', 'OPENSHIFT-FIREWALL-ALLOW'],
  [
    'filter',
    'FORWARD',
    '-i',
    'tun0',
    '!',
    '-o',
    'tun0',
    ...said('administrator overrides'),
    '-j',
    'OPENSHIFT-ADMIN-OUTPUT-RULES',
  ],
  ['filter', 'FORWARD', ...said('firewall overrides'), '-j', 'OPENSHIFT-FIREWALL-FORWARD'],
  ['filter', 'OUTPUT', '-j', 'OPENSHIFT-BLOCK-OUTPUT'],
  ['filter', 'FORWARD', '-j', 'OPENSHIFT-BLOCK-OUTPUT'],
  ['nat', 'POSTROUTING', ...said('rules for masquerading OpenShift traffic'), '-j', 'OPENSHIFT-MASQUERADE'],
  ['raw', 'OUTPUT', '-j', 'OPENSHIFT-NOTRACK'],
  ['raw', 'PREROUTING', '-j', 'OPENSHIFT-NOTRACK'],
]

/** Its chains, those that lead to others first. */
const CHAINS: readonly (readonly [table: string, chain: string])[] = [
  ['filter', 'OPENSHIFT-FIREWALL-ALLOW'],
  ['filter', 'OPENSHIFT-FIREWALL-FORWARD'],
  ['filter', 'OPENSHIFT-BLOCK-OUTPUT'],
  ['nat', 'OPENSHIFT-MASQUERADE'],
  ['nat', 'OPENSHIFT-MASQUERADE-2'],
  ['raw', 'OPENSHIFT-NOTRACK'],
  ...['mangle', 'nat', 'filter'].map((table) => [table, 'OPENSHIFT-SDN-CANARY'] as const),
]

/** Removes the rules of both from iptables. Resolves with those that were there, in iptables' words. */
export async function removeTheirRules(pods: readonly Cidr[], port: number): Promise<readonly string[]> {
  const tool = Bun.which('iptables') ?? Bun.which('iptables', { PATH: '/usr/sbin:/sbin' })
  if (tool === null) return []
  const removed: string[] = []
  const attempt = async (...words: readonly string[]): Promise<boolean> => {
    const done = await run([tool, '-w', '5', ...words])
    if (done) removed.push(words.join(' '))
    return done
  }
  for (const network of pods) {
    for (const [table, chain, ...words] of looseRules(network, port)) {
      // Their resync may have added a rule more than once.
      for (let i = 0; i < MOST_COPIES && (await attempt('-t', table, '-D', chain, ...words)); i += 1) {}
    }
  }
  for (const [table, chain, ...words] of JUMPS) await attempt('-t', table, '-D', chain, ...words)
  for (const [table, chain] of CHAINS) {
    if (await run([tool, '-w', '5', '-t', table, '-F', chain])) await attempt('-t', table, '-X', chain)
  }
  return removed
}

const MOST_COPIES = 10

/** Whether it could be done: what is not there cannot be removed. */
async function run(argv: readonly string[]): Promise<boolean> {
  const child = Bun.spawn([...argv], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: 10_000,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  })
  return (await child.exited) === 0
}

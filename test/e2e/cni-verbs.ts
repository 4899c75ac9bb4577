/**
 * The CNI executable by hand, verb by verb and version by version, against a node of a playground.
 * @module
 */
import { deepEqual, equal, match, notDeepEqual, ok } from 'node:assert/strict'
import { eventually, type Inventory, type Lab } from '../lab/lab.ts'
import { Container, errorOf, VERSIONS, type Version } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const cniVerbs: Scenario = {
  name: 'cni-verbs',
  lab: { nodes: 1 },
  steps: [
    { title: 'VERSION names every version', run: version },
    ...VERSIONS.map((each) => ({
      title: `${each}: ADD, ADD again, the verbs it has, DEL, DEL again`,
      run: (context: StepContext) => lifeOf(context, each),
    })),
    { title: 'DEL succeeds without namespace, input, result, container', run: lostContainers },
    { title: 'GC removes what is not listed and keeps the rest', run: collect },
    { title: 'CHECK tells what is missing', run: check },
    { title: 'STATUS says when Open vSwitch is away, and when it is back', run: status },
    { title: 'nothing is left behind', run: clean },
  ],
}

async function version({ lab, say }: StepContext): Promise<void> {
  const { code, json } = await new Container(lab, 'none').call('VERSION')
  say(`VERSION → ${JSON.stringify(json)}`)
  deepEqual([code, json], [0, { cniVersion: '1.1.0', supportedVersions: VERSIONS }])
}

async function lifeOf({ lab, say }: StepContext, version: Version): Promise<void> {
  const before = await lab.inventory(1)
  const container = new Container(lab, `v${version.replaceAll('.', '-')}`, { version }).create()
  try {
    const result = await container.add()
    say(`ADD → ${JSON.stringify(result)}`)
    checkShape(result, version)
    const attached = await lab.inventory(1)
    deepEqual(
      attachments(attached),
      attachments(before).map((n) => n + 1),
    )
    const links = await addressesIn(lab, container)
    deepEqual(await container.add(), result)
    deepEqual(await lab.inventory(1), attached)
    deepEqual(await addressesIn(lab, container), links)
    await newerVerbs(container, version, say)
    await container.del()
    await container.del()
    await gone(lab, before)
    say('ADD again → the same; DEL → nothing; DEL again → nothing')
  } finally {
    container.remove()
  }
}

/** The verbs that a version may lack: there they are refused with code 1. */
async function newerVerbs(container: Container, version: Version, say: StepContext['say']): Promise<void> {
  const calls: readonly (readonly [verb: string, since: Version, config: object])[] = [
    ['CHECK', '0.4.0', { prevResult: container.result }],
    ['STATUS', '1.1.0', {}],
    ['GC', '1.1.0', { name: 'other', 'cni.dev/valid-attachments': [] }],
  ]
  for (const [verb, since, config] of calls) {
    const answer = await container.call(verb, config)
    if (VERSIONS.indexOf(version) >= VERSIONS.indexOf(since)) {
      deepEqual([answer.code, answer.text], [0, ''], verb)
      say(`${verb} → nothing`)
    } else {
      equal(errorOf(answer).code, 1)
      say(`${verb} → ${answer.text.trim()}`)
    }
  }
}

/** The members that the specification of each version has. */
function checkShape(result: unknown, version: Version): void {
  const { cniVersion, interfaces, ips, ip4, ip6 } = result as Shape
  equal(cniVersion, version)
  if (version === '0.1.0' || version === '0.2.0') {
    deepEqual([interfaces, ips], [undefined, undefined])
    match(ip4?.ip ?? '', /^10\.\d+\.\d+\.\d+\/\d+$/)
    match(ip6?.ip ?? '', /^fd00:.*\/64$/)
    return
  }
  deepEqual([ip4, ip6], [undefined, undefined])
  ok(
    interfaces?.some(
      ({ name, sandbox, mac }) => name === 'eth0' && sandbox?.startsWith('/run/netns/') && mac !== undefined,
    ),
  )
  deepEqual(
    ips?.map(({ version }) => version),
    VERSIONS.indexOf(version) < VERSIONS.indexOf('1.0.0') ? ['4', '6'] : [undefined, undefined],
  )
  for (const { address, gateway, interface: index } of ips ?? []) {
    match(address ?? '', /\/\d+$/)
    ok(gateway)
    equal(interfaces?.[index ?? -1]?.name, 'eth0')
  }
}

interface Shape {
  readonly cniVersion?: string
  readonly interfaces?: readonly { readonly name?: string; readonly sandbox?: string; readonly mac?: string }[]
  readonly ips?: readonly {
    readonly version?: string
    readonly address?: string
    readonly gateway?: string
    readonly interface?: number
  }[]
  readonly ip4?: { readonly ip?: string }
  readonly ip6?: { readonly ip?: string }
}

async function lostContainers({ lab, say }: StepContext): Promise<void> {
  const before = await lab.inventory(1)
  const lose: readonly (readonly [
    what: string,
    call: (container: Container) => Promise<{ readonly code: number; readonly text: string }>,
  ])[] = [
    ['without CNI_NETNS', (one) => one.call('DEL', {}, { CNI_NETNS: '' })],
    ['without standard input', (one) => one.raw('DEL', '')],
    ['without prevResult', (one) => one.call('DEL')],
    ['with a malformed prevResult', (one) => one.call('DEL', { prevResult: { ips: 7 } })],
    [
      'after the namespace was deleted',
      (one) => {
        one.remove()
        return one.call('DEL', { prevResult: one.result })
      },
    ],
    ['with CNI_NETNS naming nothing', (one) => one.call('DEL', {}, { CNI_NETNS: '/run/netns/weft-e2e-nothing' })],
  ]
  for (const [index, [what, call]] of lose.entries()) {
    const container = new Container(lab, `lost${index}`).create()
    try {
      await container.add()
      const { code, text } = await call(container)
      deepEqual([code, text], [0, ''], what)
      say(`DEL ${what} → nothing`)
      await gone(lab, before)
    } finally {
      container.remove()
    }
  }
}

async function collect({ lab, say }: StepContext): Promise<void> {
  const before = await lab.inventory(1)
  const containers = [1, 2, 3].map((n) => new Container(lab, `gc${n}`).create())
  const other = new Container(lab, 'gc-other').create()
  const [kept, ...rest] = containers
  ok(kept)
  try {
    for (const each of containers) await each.add()
    await other.add({ name: 'other' })
    const playground = { containerID: 'nobody', ifname: 'eth0' }
    const valid = [{ containerID: kept.id, ifname: 'eth0' }, playground]
    const answer = await kept.call('GC', { 'cni.dev/valid-attachments': valid })
    deepEqual([answer.code, answer.text], [0, ''])
    await eventually('GC has removed two of three', async () => (await lab.inventory(1)).leases === before.leases + 2)
    equal((await kept.call('CHECK', { prevResult: kept.result })).code, 0)
    equal((await other.call('CHECK', { name: 'other', prevResult: other.result })).code, 0)
    for (const each of rest) equal(errorOf(await each.call('CHECK', { prevResult: each.result })).code, 3)
    say('GC with one of three listed: it stays, two are gone, the other network and the pods of the playground stay')
    const unlisted = errorOf(await kept.call('GC'))
    say(`GC without a list → ${unlisted.code} ${unlisted.msg}`)
    equal((await kept.call('CHECK', { prevResult: kept.result })).code, 0)
  } finally {
    for (const each of [...containers, other]) {
      await each.del()
      each.remove()
    }
  }
  await gone(lab, before)
}

async function check({ lab, say }: StepContext): Promise<void> {
  const container = new Container(lab, 'check').create()
  const inside = (...argv: readonly string[]) => lab.inside(container.netns, 'ip', ...argv)
  const expectProblem = async (what: string): Promise<void> => {
    const error = errorOf(await container.call('CHECK', { prevResult: container.result }))
    say(`CHECK after ${what} → ${error.code} ${error.msg}`)
  }
  try {
    await container.add()
    const { ips } = container.result as Shape
    const address = ips?.[0]?.address ?? ''
    equal((await inside('addr', 'del', address, 'dev', 'eth0')).code, 0)
    await expectProblem(`address ${address} was removed in the pod`)
    await container.del()
    await container.add()
    equal((await inside('link', 'set', 'eth0', 'down')).code, 0)
    await expectProblem('the interface was set down')
    await container.del()
    await container.add()
    const { leases } = await lab.agent(1).facts()
    const link = leases.find(({ endpoint }) => endpoint.containerId === container.id)?.link ?? ''
    await lab.ovs(lab.node(1), 'ovs-vsctl', 'del-port', link)
    await eventually('the agent has put the port back', async () => {
      return (await container.call('CHECK', { prevResult: container.result })).code === 0
    })
    say(`CHECK after OVS port ${link} was deleted and the agent put it back → nothing`)
    await lab.inside(lab.node(1).netns, 'ip', 'link', 'del', link)
    await expectProblem(`link ${link} was deleted`)
  } finally {
    await container.del()
    container.remove()
  }
}

async function status({ lab, say }: StepContext): Promise<void> {
  const probe = new Container(lab, 'status').create()
  try {
    equal((await probe.call('STATUS')).code, 0)
    const role = 'node1-ovsdb-server'
    const command = lab.commandOf(role)
    lab.kill(role)
    await eventually('STATUS is not ready', async () => (await probe.call('STATUS')).code === 1)
    const away = errorOf(await probe.call('STATUS'))
    say(`STATUS without ovsdb-server → ${away.code} ${away.msg}`)
    ok(away.code === 50 || away.code === 51)
    const refused = errorOf(await probe.call('ADD'))
    say(`ADD without ovsdb-server → ${refused.code} ${refused.msg}`)
    equal(refused.code, 11)
    lab.start(role, command)
    await eventually('STATUS is ready again', async () => (await probe.call('STATUS')).code === 0)
    await probe.add()
    await probe.del()
    say('ovsdb-server is back: STATUS → nothing, ADD and DEL work')
  } finally {
    probe.remove()
  }
}

async function clean({ lab, say }: StepContext): Promise<void> {
  await eventually(
    'weft audit is clean',
    async () => (await lab.weft('audit', '--run-dir', lab.layout.runDir)).code === 0,
  )
  say(await lab.expectCleanAudit())
}

async function gone(lab: Lab, before: Inventory): Promise<void> {
  await eventually('nothing is left', async () => JSON.stringify(await lab.inventory(1)) === JSON.stringify(before))
}

function attachments({ leases, ports, links }: Inventory): readonly number[] {
  return [leases, ports, links]
}

async function addressesIn(lab: Lab, { netns }: Container): Promise<string> {
  const { stdout } = await lab.inside(netns, 'ip', '-o', 'addr', 'show', 'dev', 'eth0')
  notDeepEqual(stdout, '')
  return stdout
}

if (import.meta.main) await runScenario(cniVerbs)

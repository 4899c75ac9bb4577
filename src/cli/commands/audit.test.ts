/** `weft audit` as a process, with a cloud beyond the nodes. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clusterTags } from '../../controller/openstack/ours.ts'
import { World } from '../../controller/openstack/testing/world.ts'
import { encodeJson } from '../../flow/json.ts'
import { serveAgent } from '../../insight/testing/agent-double.ts'
import { sampleView } from '../../insight/testing/sample-facts.ts'
import { FakeCloud, PASSWORD } from '../../openstack/testing/fake-cloud.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type RegistryServer, serveRegistry } from '../../registry/server.ts'

/** Every step is a program of its own, and Neutron's ports are looked at twice, ten seconds apart. */
setDefaultTimeout(90_000)
const MAIN = join(import.meta.dir, '../../main.ts')
/** Of this machine, which the program would ask. */
const HAS_AGENT = existsSync('/run/weft/agent.sock') || existsSync('/run/weft-play')

let folder: string
let file: string
/** Without a clouds.yaml. */
let home: string
let cloud: FakeCloud
let server: RegistryServer | undefined
const world = new World({ trunk: 'trunk-1' })
const agents: { stop(hard: boolean): unknown }[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-audit-'))
  file = join(folder, 'clouds.yaml')
  home = join(folder, 'home')
  mkdirSync(home)
  cloud = new FakeCloud({ neutron: world.neutron.answer })
  const auth = { auth_url: `${cloud.url}/v3`, username: 'u', password: PASSWORD, project_name: 'p' }
  const domains = { user_domain_name: 'Default', project_domain_name: 'Default' }
  writeFileSync(file, JSON.stringify({ clouds: { one: { auth: { ...auth, ...domains } } } }))
  await world.settle()
  const view = sampleView()
  for (const facts of view.nodes) {
    mkdirSync(join(folder, facts.status.node, 'agent'), { recursive: true })
    const path = join(folder, facts.status.node, 'agent', 'agent.sock')
    agents.push(serveAgent(path, () => new Response(encodeJson(facts))))
  }
  const registry = new MemoryRegistry()
  const { pods = [], namespaces = [], tenants = [], networks = [] } = view.registry ?? {}
  for (const pod of pods) await registry.create('Pod', `${pod.namespace}/${pod.name}`, pod)
  for (const namespace of namespaces) await registry.create('Namespace', namespace.name, namespace)
  for (const tenant of tenants) await registry.create('Tenant', tenant.namespace, tenant)
  for (const network of networks) await registry.create('NodeNetwork', network.node, network)
  const [namespace] = namespaces
  if (namespace === undefined) throw new Error('a namespace')
  await registry.create('Namespace', 'kube-system', { ...namespace, name: 'kube-system', uid: 'cluster-uid' })
  for (const node of world.nodes.values()) await registry.create('Node', node.name, node)
  for (const [name, value] of world.ports) await registry.create('NodePorts', name, value)
  server = await serveRegistry(registry, { path: join(folder, 'registry.sock') })
})

afterAll(async () => {
  for (const agent of agents) await agent.stop(true)
  await server?.stop()
  await cloud?.stop()
  await world.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function weft(...args: readonly string[]): Promise<{ readonly exit: number; readonly output: string }> {
  const argv = [process.execPath, MAIN, 'audit', ...args]
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, NO_COLOR: '1' }
  const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'pipe', cwd: home, env })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exit: await child.exited, output: out + err }
}

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ')

test('without credentials it says that Neutron was not looked at', async () => {
  const { exit, output } = await weft('--run-dir', folder)
  expect(flat(output)).toContain('! Neutron was not looked at: no cloud is configured here')
  expect(output).toContain('no difference')
  expect(exit).toBe(0)
})

test('with credentials ports are compared; what is wrong ends with 1, and what is others’ is not told', async () => {
  const named = ['--run-dir', folder, '--openstack-clouds-file', file]
  const fine = await weft(...named)
  expect(fine.output).toContain(`${world.pool?.ports.length} Neutron ports compared: no difference`)
  expect(fine.exit).toBe(0)
  world.neutron.addVm('stray', 'net', '10.1.0.90').tags.push(...clusterTags('cluster-uid'))
  world.neutron.addVm('theirs', 'net', '10.1.0.91').tags.push(...clusterTags('another'))
  const found = await weft(...named, '--json')
  const { clean, findings, plan, notes } = JSON.parse(found.output)
  expect({ clean, plan, notes }).toEqual({ clean: false, plan: [], notes: [] })
  expect(findings).toEqual([
    expect.objectContaining({ code: 'neutron-port-unpooled', node: '-', object: 'port stray' }),
  ])
  expect(found.exit).toBe(1)
  expect(found.output).not.toContain(PASSWORD)
  world.neutron.ports.delete('stray')
})

test.skipIf(HAS_AGENT)('where no agent runs, a cloud that is named is enough', async () => {
  const registry = `unix:${join(folder, 'registry.sock')}`
  const { exit, output } = await weft('--registry', registry, '--openstack-clouds-file', file)
  expect(output).toContain('! No node was compared: no agent’s socket below')
  expect(output).toContain('Neutron ports compared: no difference')
  expect(exit).toBe(0)
  expect(await weft('--registry', registry)).toEqual(expect.objectContaining({ exit: 3 }))
})

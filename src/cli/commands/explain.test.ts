import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeJson } from '../../flow/json.ts'
import { serveAgent } from '../../insight/testing/agent-double.ts'
import { sampleView } from '../../insight/testing/sample-facts.ts'
import type { Policy } from '../../network/model/policy.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type RegistryServer, serveRegistry } from '../../registry/server.ts'

/** Every step is a program of its own. */
setDefaultTimeout(60_000)
const MAIN = join(import.meta.dir, '../../main.ts')
const shop = { namespaces: { name: 'shop' }, pods: [] }
const policy = (name: string, parts: Partial<Policy>): Policy => ({
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name,
  tier: 'namespace',
  priority: 0,
  subject: shop,
  ...parts,
})
const DENY = policy('deny-all', { ingress: [] })
const ALLOW = policy('allow', {
  ingress: [{ action: 'allow', ports: [{ type: 'numbers', protocol: 'TCP', from: 80, to: 80 }] }],
})

let runDir: string
let alone: string
let registry: MemoryRegistry
let server: RegistryServer | undefined
const agents: { stop(hard: boolean): unknown }[] = []

beforeAll(async () => {
  runDir = mkdtempSync(join(tmpdir(), 'weft-explain-cli-'))
  alone = mkdtempSync(join(tmpdir(), 'weft-explain-cli-'))
  const view = sampleView([DENY, ALLOW])
  for (const facts of view.nodes) {
    for (const folder of [runDir, alone].map((one) => join(one, facts.status.node, 'agent'))) {
      mkdirSync(folder, { recursive: true })
      agents.push(serveAgent(join(folder, 'agent.sock'), () => new Response(encodeJson(facts))))
    }
  }
  registry = new MemoryRegistry()
  const { pods = [], namespaces = [], tenants = [], networks = [] } = view.registry ?? {}
  for (const pod of pods) await registry.create('Pod', `${pod.namespace}/${pod.name}`, pod)
  for (const namespace of namespaces) await registry.create('Namespace', namespace.name, namespace)
  for (const tenant of tenants) await registry.create('Tenant', tenant.namespace, tenant)
  for (const network of networks) await registry.create('NodeNetwork', network.node, network)
  for (const one of [DENY, ALLOW]) await registry.create('NetworkPolicy', `shop/${one.name}`, one)
  server = await serveRegistry(registry, { path: join(runDir, 'registry.sock') })
})

afterAll(async () => {
  for (const agent of agents) await agent.stop(true)
  await server?.stop()
  for (const folder of [runDir, alone]) rmSync(folder, { recursive: true, force: true })
})

describe('exit codes', () => {
  const cases: readonly (readonly [command: string, exit: number, output: RegExp])[] = [
    ['explain shop/web shop/cart', 0, /^✓ shop\/web can open [\s\S]*\n✓ flows +the flows of node1 and node2/],
    [
      'explain shop/web shop/cart --port http',
      1,
      /^✗ [\s\S]*allows tcp port 80\.\n {2}→ to allow it, add tcp port 8080/,
    ],
    ['explain shop/web bank/vault', 1, /weft tenant join shop --to bank --run-dir \S+/],
    ['explain shop/web nobody', 1, /no pod or node nobody/],
    ['explain shop/web shop/cart --port 0', 2, /1 to 65535/],
    ['explain shop/web shop/cart --family 5', 2, /4, 6/],
    ['explain shop/web 10.129.0.2 --family 6', 2, /choose one family/],
    ['policy list', 0, /deny-all +NetworkPolicy +namespace +3 +ingress: nobody +applied/],
    ['policy list -n bank', 0, /There is no policy/],
  ]
  for (const [command, exit, output] of cases) {
    test(`weft ${command}`, async () => {
      const result = await weft(...command.split(' '), '--run-dir', runDir)
      expect(result.output).toMatch(output)
      expect(result.exit).toBe(exit)
    })
  }

  test('without a registry there are no objects to judge', async () => {
    for (const command of [
      ['explain', 'shop/web', 'shop/cart'],
      ['policy', 'list'],
    ]) {
      const { exit, output } = await weft(...command, '--run-dir', alone)
      expect(output).toContain('name the cluster: --kubeconfig FILE')
      expect(exit).toBe(3)
    }
  })
})

test('flows that do otherwise than the objects say end with 4', async () => {
  const stored = await registry.get('NetworkPolicy', 'shop/allow')
  await registry.update(
    'NetworkPolicy',
    'shop/allow',
    { ...ALLOW, ingress: [{ action: 'allow' }] },
    stored?.revision ?? 0,
  )
  const { exit, output } = await weft(
    'explain',
    'shop/web',
    'shop/cart',
    '--port',
    '8080',
    '--json',
    '--run-dir',
    runDir,
  )
  expect(JSON.parse(output)).toMatchObject({ reachable: true, flowsAgree: false, port: 8080 })
  expect(exit).toBe(4)
})

async function weft(...args: readonly string[]) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, NO_COLOR: '' },
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exit: await child.exited, output: out + err }
}

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidr, ip } from '../../network/model/address.ts'
import type { Policy } from '../../network/model/policy.ts'
import { examples } from '../../registry/conformance-tools.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type RegistryServer, serveRegistry } from '../../registry/server.ts'

const MAIN = join(import.meta.dir, '../../main.ts')
const folder = mkdtempSync(join(tmpdir(), 'wefttest-policy-preview-'))
const socket = join(folder, 'registry.sock')
let server: RegistryServer | undefined

const OLD: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'bank',
  name: 'old',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'bank' }, pods: [{ key: 'app', operator: 'In', values: ['ledger'] }] },
  ingress: [],
}

beforeAll(async () => {
  const registry = new MemoryRegistry()
  await registry.create('Cluster', 'default', {
    ...examples.Cluster.value,
    tenancy: 'subnet',
    networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  })
  for (const name of ['shop', 'bank']) await registry.create('Namespace', name, { name, uid: name })
  const pods = [
    ['shop', 'web-7d4b9c6f5-x2x9k', 'web'],
    ['shop', 'web-7d4b9c6f5-abcde', 'web'],
    ['bank', 'vault', 'vault'],
    ['bank', 'ledger', 'ledger'],
  ] as const
  for (const [i, [namespace, name, app]] of pods.entries()) {
    const address = ip(`10.128.0.${i + 2}`)
    const pod = { namespace, name, uid: name, node: 'node1', addresses: [address], labels: { app } }
    await registry.create('Pod', `${namespace}/${name}`, pod)
  }
  await registry.create('NetworkPolicy', 'bank/old', OLD)
  server = await serveRegistry(registry, { path: socket })
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function preview(args: readonly string[], input = '') {
  const argv = [process.execPath, MAIN, 'policy', 'preview', '--registry', `unix:${socket}`, ...args]
  const child = Bun.spawn(argv, { stdin: new Blob([input]), stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr, code: await child.exited }
}

const NEW = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: new, namespace: bank }
spec:
  podSelector: { matchLabels: { app: vault } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: {} }]
`

test('says who will not reach whom any more, and why', async () => {
  const { stdout, code } = await preview(['-f', file('new.yaml', NEW)])
  expect(stdout.split('\n')).toEqual([
    '3 pairs change',
    'shop/* (2 pods), addresses outside → bank/vault everything: allowed → denied (NetworkPolicy',
    '  bank/new, spec.ingress)',
    'Connections that stand and are denied then are cut, too.',
    '',
  ])
  expect(code).toBe(5)
})

test('a policy that goes, named as kubectl names it, lets in whom it kept out', async () => {
  const { stdout, code } = await preview(['--delete', 'netpol/bank/old'])
  expect(stdout).toMatch(/^4 pairs change$/m)
  expect(stdout.replaceAll('\n  ', ' ')).toMatch(
    /^bank\/vault, shop\/\* \(2 pods\), addresses outside → bank\/ledger everything: denied → allowed \(no longer NetworkPolicy bank\/old, spec.ingress\)$/m,
  )
  expect(code).toBe(5)
})

test('what is there already changes nothing; a document of JSON, from standard input', async () => {
  const spec = { podSelector: { matchLabels: { app: 'ledger' } }, ingress: [] }
  const same = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'old' }, spec }
  const { stdout, code } = await preview(['-f', '-', '-n', 'bank'], JSON.stringify({ kind: 'List', items: [same] }))
  expect(stdout).toBe('nothing changes\n')
  expect(code).toBe(0)
})

test('what looks like a mistake is told, and JSON says who and why', async () => {
  const document = `${NEW}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: egress, namespace: bank }
spec:
  podSelector: {}
  egress:
    - ports: [{ port: 53 }]
    - to: [{ podSelector: { matchLabels: { app: vault } } }]
      ports: [{ port: 53, protocol: TCP }, { port: nowhere }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: nobody, namespace: bank }
spec: { podSelector: { matchLabels: { app: nobody } } }
`
  const { stdout, code } = await preview(['-f', file('mistakes.yaml', document), '--json'])
  const { pairs, changes, warnings } = JSON.parse(stdout)
  expect(pairs).toBeGreaterThan(3)
  expect(changes[0]).toEqual(expect.objectContaining({ to: 'denied', direction: expect.stringMatching('gress') }))
  const said = warnings.map(({ policy, field, says }: { policy: { name: string }; field?: string; says: string }) => [
    policy.name,
    field,
    says,
  ])
  expect(said).toEqual([
    ['egress', 'spec.egress[1].ports[1]', 'no such pod has a port named nowhere'],
    ['egress', 'spec.egress[0].ports[0]', 'port 53 without a protocol is tcp only, and DNS asks by udp'],
    ['egress', 'spec.egress', 'pods that it isolates cannot reach anybody on udp 53: names cannot be resolved'],
    ['nobody', undefined, 'selects no pod that there is'],
  ])
  expect(code).toBe(5)
})

test.each([
  ['no policy', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\n', 'is a "Deployment", and no policy'],
  [
    'another version',
    'apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: { name: a }\n',
    'is of "extensions/v1beta1" → give one of networking.k8s.io/v1',
  ],
  ['no name', 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n', 'has no metadata.name'],
  ['no YAML', 'kind: [', 'is no YAML'],
  ['a key twice', `${NEW}spec: {}\n`, '"spec" is there twice'],
  ['one policy twice', `${NEW}---\n${NEW}`, 'NetworkPolicy/bank/new is there twice'],
  ['nothing', '', 'there is no policy in'],
])('%s is refused, and nothing is compared', async (_, content, complaint) => {
  const { stdout, stderr, code } = await preview(['-f', file('refused.yaml', content)])
  expect(stderr).toContain(complaint)
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

test.each([
  [[], 'nothing is to change'],
  [['--delete', 'pod/bank/old'], 'no kind of policies'],
  [['--delete', 'netpol/old'], 'write NetworkPolicy/<namespace>/<name>'],
  [['-f', '/nonexistent'], 'cannot read /nonexistent'],
  [['-f', '/dev/zero'], 'characters of policies are too many'],
])('%p: %s', async (args, complaint) => {
  const { stderr, code } = await preview(args)
  expect(stderr).toContain(complaint)
  expect(code).toBe(2)
})

test('a policy that is not there cannot go', async () => {
  const { stderr, code } = await preview(['--delete', 'netpol/bank/none'])
  expect(stderr).toContain('there is no NetworkPolicy "bank/none"')
  expect(code).toBe(1)
})

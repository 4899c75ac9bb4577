/**
 * `weft controller` on a real Kubernetes API with the account of `deploy/weft.yaml`: the server's audit log tells what it
 * asked for. Nothing was forbidden, and all that it may do it did.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FOREIGN_CRDS } from '../../src/compat/crds.ts'
import { CHANGE_NETWORK } from '../../src/compat/openshift/resources.ts'
import { covers } from '../../src/compat/permission.ts'
import { PERMISSIONS, REFUSED } from '../../src/compat/permissions.ts'
import type { KubeCall } from '../../src/kube/call.ts'
import { ROOT } from '../docs/markdown.ts'
import { exerciseClaims, exerciseSubnets } from './claims-calls.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { exerciseNetworks } from './networks-calls.ts'
import { exerciseNeutron } from './neutron-calls.ts'
import { eventually, type Running, start } from './process.ts'

const LIMIT = 180_000
const PATIENCE = 30_000
const USER = 'system:serviceaccount:weft-system:weft-controller'
/** Every request, without its body. */
const AUDIT = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n  - level: Metadata\n'
/** Repeating an event takes minutes, as it takes to be sure of a node’s end; looking again at what somebody wrote at the same moment takes luck. */
const RARE: ReadonlySet<string> = new Set([
  ...['patch events', 'get nodenetworks', 'get netnamespaces', 'delete portuses'],
])
/** Of kinds that this server does not have: newer ones, and those of other plugins. Nobody watches what cannot be listed. */
const UNSERVED: ReadonlySet<string> = new Set(
  ['servicecidrs', 'ippools', 'ipamblocks', 'ciliumpodippools', ...REFUSED.map(({ plural }) => plural)].map(
    (plural) => `watch ${plural}`,
  ),
)

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () => controllerPermissions(assets))
}

interface Asked extends KubeCall {
  readonly code: number
}

function controllerPermissions(assets: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-permissions-'))
  const [admin, own, log, policy] = ['admin', 'controller', 'audit.log', 'audit.yaml'].map((name) => join(folder, name))
  let plane: ControlPlane | undefined
  let controller: Running | undefined

  beforeAll(async () => {
    writeFileSync(policy ?? '', AUDIT)
    plane = await ControlPlane.start(assets, [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`])
    plane.writeKubeconfig(admin ?? '')
    await kubectl(['create', '-f', '-'], nodeNamed('node1', '192.0.2.11'))
    await kubectl(['apply', '-f', join(ROOT, 'deploy/weft.yaml')])
    for (const one of Object.keys(FOREIGN_CRDS)) await kubectl(['apply', '-k', join(ROOT, 'deploy/crds', one)])
    await kubectl(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s'])
    // Who finds no Lease makes it.
    await kubectl(['delete', 'lease', 'weft-controller', '-n', 'kube-system'])
    const token = await kubectl(['create', 'token', 'weft-controller', '-n', 'weft-system'])
    const config = JSON.parse(readFileSync(admin ?? '', 'utf8'))
    writeFileSync(own ?? '', JSON.stringify({ ...config, users: [{ name: 'test', user: { token } }] }), { mode: 0o600 })
    const main = join(ROOT, 'src/main.ts')
    const argv = [process.execPath, main, 'controller', '--kubeconfig', own ?? '', '--run-dir', join(folder, 'run')]
    controller = start(argv, join(folder, 'controller.log'))
  }, LIMIT)

  afterAll(async () => {
    await controller?.stop()
    await plane?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function kubectl(args: readonly string[], input: object = {}): Promise<string> {
    const child = Bun.spawn([join(assets, 'kubectl'), '--kubeconfig', admin ?? '', ...args], {
      stdin: new Blob([JSON.stringify(input)]),
      stdout: 'pipe',
      stderr: 'pipe',
      env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    })
    const [said, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    if ((await child.exited) !== 0) throw new Error(complaint)
    return said.trim()
  }

  function asked(): readonly Asked[] {
    return readFileSync(log ?? '', 'utf8')
      .split('\n')
      .filter((line) => line.includes(USER))
      .flatMap((line) => {
        const { user, objectRef, verb, responseStatus } = JSON.parse(line)
        if (user.username !== USER || objectRef === undefined) return []
        const { apiGroup: group = '', apiVersion: version, ...ref } = objectRef
        return [{ ...ref, group, version, verb, code: responseStatus?.code ?? 0 }]
      })
  }

  const hasDone = (verb: string, resource: string) => (): Promise<void> => {
    const done = asked().some((one) => one.verb === verb && one.resource === resource && one.code < 300)
    return done ? Promise.resolve() : Promise.reject(new Error(`no ${verb} of ${resource}`))
  }

  test(
    'it does what it ever does',
    async () => {
      await eventually(async () => kubectl(['get', 'clusternetwork', 'default']), PATIENCE)
      await kubectl(['create', '-f', '-'], nodeNamed('node2', '192.0.2.12'))
      await kubectl(['create', 'namespace', 'shop'])
      await eventually(async () => kubectl(['get', 'netnamespace', 'shop']), PATIENCE)
      await kubectl(['annotate', 'netnamespace', 'shop', `${CHANGE_NETWORK}=join:nowhere`])
      await eventually(hasDone('create', 'events'), PATIENCE)
      // A view that is edited, a node that goes, a namespace that goes, one whose network cannot be read.
      await eventually(async () => kubectl(['get', 'hostsubnet', 'node2']), PATIENCE)
      await kubectl(['patch', 'hostsubnet', 'node2', '--type=merge', '-p', '{"hostIP":"192.0.2.99"}'])
      await eventually(hasDone('patch', 'hostsubnets'), PATIENCE)
      const report = { nodeUID: await uidOf('node1'), agent: { ready: true, uplinkMtu: 1500, datapath: 'netdev' } }
      const metadata = { name: 'node1' }
      await kubectl(['create', '-f', '-'], { apiVersion: 'weft.dev/v1alpha1', kind: 'NodeReport', metadata, ...report })
      await kubectl(['wait', 'nodenetwork', 'node1', '--for=condition=Ready', '--timeout=30s'])
      // The definition of others may let through what ours refuses.
      const loosened = JSON.stringify([{ op: 'remove', path: MAXIMUM }])
      await kubectl(['patch', 'crd', 'netnamespaces.network.openshift.io', '--type=json', '-p', loosened])
      const renumbered = ['--type=merge', '-p', '{"netid":16777216}']
      await eventually(async () => kubectl(['patch', 'netnamespace', 'shop', ...renumbered]), PATIENCE)
      await eventually(hasDone('patch', 'namespaces'), PATIENCE)
      await kubectl(['patch', 'netnamespace', 'shop', '--type=merge', '-p', '{"netid":77}'])
      await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node3' } })
      await eventually(hasDone('get', 'nodes'), PATIENCE)
      await kubectl(['delete', 'node', 'node2'])
      await eventually(hasDone('delete', 'nodenetworks'), PATIENCE)
      await eventually(hasDone('delete', 'hostsubnets'), PATIENCE)
      await kubectl(['delete', 'namespace', 'shop', '--wait=false'])
      await kubectl(['replace', '--raw', '/api/v1/namespaces/shop/finalize', '-f', '-'], FINALIZED)
      await eventually(hasDone('delete', 'netnamespaces'), PATIENCE)
      await eventually(hasDone('update', 'leases'), PATIENCE)
      // What it thinks of policies it says in their status.
      for (const [kind, version, name, more] of POLICIES) {
        const metadata = { name }
        const apiVersion = `policy.networking.k8s.io/${version}`
        await kubectl(['create', '-f', '-'], {
          apiVersion,
          kind,
          metadata,
          spec: { subject: { namespaces: {} }, ...more },
        })
        await kubectl(['wait', kind, name, '--for=condition=Accepted', '--timeout=30s'])
      }
      // What of Calico's objects of BGP cannot be read is told at them.
      await kubectl(['patch', 'clusternetwork', 'default', '--type=merge', '-p', '{"weft":{"fabric":{"way":"bgp"}}}'])
      for (const [kind, spec] of UNREADABLE) {
        const metadata = { name: kind === 'BGPConfiguration' ? 'default' : 'unreadable' }
        await kubectl(['create', '-f', '-'], { apiVersion: 'crd.projectcalico.org/v1', kind, metadata, spec })
        await eventually(hasDone('get', `${kind.toLowerCase()}s`), PATIENCE)
      }
      await exerciseNetworks({ kubectl, hasDone })
      await exerciseNeutron({ kubectl, hasDone })
      await exerciseClaims({ kubectl, hasDone })
      await exerciseSubnets({ kubectl, hasDone })
    },
    LIMIT,
  )

  const uidOf = (node: string): Promise<string> => kubectl(['get', 'node', node, '-o', 'jsonpath={.metadata.uid}'])

  test('nothing was forbidden to it', () => {
    expect(asked().filter(({ code }) => code === 401 || code === 403)).toEqual([])
    expect(asked().length).toBeGreaterThan(30)
  })

  test('all that it may do, it did', () => {
    const calls = asked()
    const unused = PERMISSIONS.controller.flatMap((one) =>
      one.verbs
        .filter((verb) => !calls.some((call) => covers({ ...one, verbs: [verb] }, call)))
        .map((verb) => `${verb} ${one.resource.plural}`),
    )
    expect(unused.filter((one) => !RARE.has(one) && !UNSERVED.has(one))).toEqual([])
  })
}

const UNREADABLE = [
  ['BGPPeer', { peerIP: 'nowhere', asNumber: 64_512 }],
  ['BGPFilter', { exportV4: [{ action: 'Accept', cidr: 'nowhere', matchOperator: 'In' }] }],
  ['BGPConfiguration', { serviceClusterIPs: [{ cidr: 'nowhere' }] }],
  ['IPPool', { cidr: 'nowhere' }],
] as const

const POLICIES = [
  ['AdminNetworkPolicy', 'v1alpha1', 'tenants', { priority: 5 }],
  ['BaselineAdminNetworkPolicy', 'v1alpha1', 'default', {}],
  ['ClusterNetworkPolicy', 'v1alpha2', 'tenants', { priority: 5, tier: 'Admin' }],
] as const

const MAXIMUM = '/spec/versions/0/schema/openAPIV3Schema/properties/netid/maximum'
const FINALIZED = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: { finalizers: [] } }

function nodeNamed(name: string, address: string): object {
  const status = { addresses: [{ type: 'InternalIP', address }] }
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, status }
}

/**
 * `deploy/weft.yaml` on a real Kubernetes API: it is accepted, twice, and the accounts in it may do what they need and
 * not more. Agents' tokens are bound to pods, as kubelets ask for them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { ROOT } from '../docs/markdown.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { runKubectl } from './kubectl.ts'
import { eventually } from './process.ts'

const LIMIT = 120_000
const PATIENCE = 20_000
const FILE = join(ROOT, 'deploy/weft.yaml')
const PORT_USES = '/apis/weft.dev/v1alpha1/portuses'
const REPORTS = '/apis/weft.dev/v1alpha1/nodereports'
const CLAIMS = '/apis/weft.dev/v1/addressclaims'
const VERSIONS = 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}'
const NAMESPACE = ['-n', 'weft-system']

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () => installation(assets))
}

function installation(assets: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-install-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const tokens = new Map<string, string>()
  let plane: ControlPlane | undefined

  beforeAll(async () => {
    plane = await ControlPlane.start(assets)
    plane.writeKubeconfig(kubeconfig)
    for (const name of ['node1', 'node2']) await kubectl(['create', '-f', '-'], nodeNamed(name))
    await kubectl(['apply', '-f', FILE])
    await kubectl(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s'])
    for (const node of ['node1', 'node2']) {
      await kubectl(['create', '-f', '-'], agentPod(node))
      const bound = ['--bound-object-kind=Pod', `--bound-object-name=agent-${node}`]
      tokens.set(node, await kubectl(['create', 'token', 'weft-agent', ...NAMESPACE, ...bound]))
    }
    tokens.set('unbound', await kubectl(['create', 'token', 'weft-agent', ...NAMESPACE]))
    await kubectl(['create', 'serviceaccount', 'weft-host-lb1', ...NAMESPACE])
    const role = ['--clusterrole=weft-external-host', '--serviceaccount=weft-system:weft-host-lb1']
    await kubectl(['create', 'clusterrolebinding', 'weft-host-lb1', ...role])
    tokens.set('lb1', await kubectl(['create', 'token', 'weft-host-lb1', ...NAMESPACE]))
    tokens.set('controller', await kubectl(['create', 'token', 'weft-controller', ...NAMESPACE]))
  }, LIMIT)

  afterAll(async () => {
    await plane?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  function kubectl(args: readonly string[], input?: object): Promise<string> {
    return runKubectl({ assets, kubeconfig, home: folder }, args, input)
  }

  /** What the holder of a token is answered. */
  async function ask(who: string, method: string, path: string, body?: object) {
    const headers = {
      authorization: `Bearer ${tokens.get(who)}`,
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    }
    const ca = await Bun.file(plane?.certificates.ca ?? '').text()
    const init = { method, headers, tls: { ca }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const answer = await fetch(`${plane?.server}${path}`, init)
    const { message = '' } = (await answer.json()) as { readonly message?: string }
    return { status: answer.status, message }
  }

  test(
    'applied again, nothing changes',
    async () => {
      const versions = (): Promise<string> => kubectl(['get', '-f', FILE, '-o', VERSIONS])
      const before = await versions()
      const lines = (await kubectl(['apply', '-f', FILE])).split('\n')
      expect(lines).toHaveLength(documentsIn(await Bun.file(FILE).text()))
      expect(await versions()).toBe(before)
      // kubectl sends a budget's selector every time (its patch strategy is to replace), and the server keeps what it has.
      const changed = lines.filter((line) => !line.endsWith(' unchanged'))
      expect(changed).toEqual(['poddisruptionbudget.policy/weft-controller configured'])
      await kubectl(['apply', '--dry-run=server', '-f', FILE])
      await kubectl(['apply', '--dry-run=server', '-f', join(ROOT, 'deploy/weft-remove.yaml')])
    },
    LIMIT,
  )

  test(
    'an agent writes its own node’s report, and no other’s',
    async () => {
      // The server takes a moment to heed a policy.
      const forged = await eventually(async () => {
        const answer = await ask('node1', 'POST', REPORTS, reportOf('node2'))
        if (answer.status === 201) await kubectl(['delete', 'nodereport', 'node2'])
        expect(answer.status).toBe(403)
        return answer
      }, PATIENCE)
      expect(forged.message).toContain('the agent of node node1 may not write what is said of node2')
      expect((await ask('node1', 'POST', REPORTS, reportOf('node1'))).status).toBe(201)
      expect((await ask('node1', 'PATCH', `${REPORTS}/node1`, { agent: { ready: true } })).status).toBe(200)
      expect((await ask('node2', 'POST', REPORTS, reportOf('node2'))).status).toBe(201)
      const changed = await ask('node1', 'PATCH', `${REPORTS}/node2`, { agent: { ready: false } })
      expect(changed).toEqual({ status: 403, message: expect.stringContaining('may not write what is said of node2') })
    },
    LIMIT,
  )

  test(
    'an agent says what its own node does with ports of OpenStack, and of no other’s',
    async () => {
      const useOf = (name: string) => ({ apiVersion: 'weft.dev/v1alpha1', kind: 'PortUse', metadata: { name } })
      const forged = await ask('node1', 'POST', PORT_USES, useOf('node2'))
      expect(forged).toEqual({ status: 403, message: expect.stringContaining('may not write what is said of node2') })
      expect((await ask('node2', 'POST', PORT_USES, useOf('node2'))).status).toBe(201)
      expect((await ask('node2', 'PATCH', `${PORT_USES}/node2`, { given: ['a'] })).status).toBe(200)
      expect((await ask('node1', 'PATCH', `${PORT_USES}/node2`, { given: ['a'] })).status).toBe(403)
      // What there is to use is the controller's to say.
      const ports = { apiVersion: 'weft.dev/v1alpha1', kind: 'NodePorts', metadata: { name: 'node1' } }
      expect((await ask('node1', 'POST', '/apis/weft.dev/v1alpha1/nodeports', ports)).status).toBe(403)
    },
    LIMIT,
  )

  test(
    'a token that names no node writes none',
    async () => {
      const answer = await ask('unbound', 'PATCH', `${REPORTS}/node1`, { agent: { ready: false } })
      expect(answer).toEqual({ status: 403, message: expect.stringContaining('the token of weft-agent names no node') })
    },
    LIMIT,
  )

  test(
    'an external host writes its own report, and no node’s',
    async () => {
      expect((await ask('lb1', 'POST', REPORTS, reportOf('lb1'))).status).toBe(201)
      const forged = await ask('lb1', 'PATCH', `${REPORTS}/node1`, { agent: { ready: false } })
      expect(forged).toEqual({ status: 403, message: expect.stringContaining('agent of node lb1 may not write') })
    },
    LIMIT,
  )

  test(
    'an agent tells of pods, in its own node’s name',
    async () => {
      const path = '/api/v1/namespaces/weft-system/events'
      const event = (host: string, kind: string): object => ({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `event-${crypto.randomUUID()}`, namespace: 'weft-system' },
        involvedObject: { kind, name: 'agent-node1', namespace: 'weft-system' },
        source: { component: 'weft-agent', host },
      })
      await eventually(async () => {
        const answer = await ask('node1', 'POST', path, event('node2', 'Pod'))
        expect(answer).toEqual({ status: 403, message: expect.stringContaining('tells of pods only') })
      }, PATIENCE)
      expect((await ask('node1', 'POST', path, event('node1', 'Pod'))).status).toBe(201)
      expect((await ask('node1', 'POST', path, event('node1', 'ConfigMap'))).status).toBe(403)
      expect((await ask('unbound', 'POST', path, event('node1', 'Pod'))).status).toBe(403)
    },
    LIMIT,
  )

  test(
    'an agent claims addresses for its own node, and touches no other’s claim',
    async () => {
      const first = await eventually(async () => {
        const answer = await ask('node1', 'POST', CLAIMS, claimOf('node2', 1))
        if (answer.status === 201) await kubectl(['delete', 'addressclaim', 'underlay.172.18.30.1'])
        expect(answer.status).toBe(403)
        return answer
      }, PATIENCE)
      expect(first.message).toContain('the agent of node node1 may not claim an address for node2')
      expect(await ask('node1', 'POST', CLAIMS, claimOf('node1', 1))).toEqual({ status: 201, message: '' })
      expect((await ask('node2', 'POST', CLAIMS, claimOf('node2', 2))).status).toBe(201)
      expect((await ask('node2', 'POST', CLAIMS, claimOf('node2', 3, { sticky: true }))).status).toBe(201)
      expect((await ask('unbound', 'POST', CLAIMS, claimOf('node1', 4))).status).toBe(403)
      const [own, other, sticky] = [1, 2, 3].map((last) => `${CLAIMS}/underlay.172.18.30.${last}`)
      const patched = (path: string | undefined, spec: object) => ask('node1', 'PATCH', path ?? '', { spec })
      expect((await patched(own, { sandbox: 'other' })).status).toBe(200)
      expect((await patched(own, { node: 'node2' })).message).toContain('may not claim an address for node2')
      expect((await patched(own, { address: '172.18.30.9' })).message).toContain('one address')
      expect((await patched(other, { sandbox: 'x' })).message).toContain('may not claim an address for node2')
      expect((await patched(other, { node: 'node1' })).message).toContain('may not touch a claim of node2')
      expect((await ask('node1', 'DELETE', other ?? '')).message).toContain('may not touch a claim of node2')
      // One that outlives its pod goes with the next pod of that name, and with no other.
      expect((await patched(sticky, { node: 'node1', pod: 'thief' })).status).toBe(403)
      expect((await ask('node1', 'DELETE', sticky ?? '')).status).toBe(403)
      expect((await patched(sticky, { node: 'node1', podUID: 'u2' })).status).toBe(200)
      expect((await ask('node1', 'DELETE', sticky ?? '')).status).toBe(200)
      const shown = (await kubectl(['get', 'addressclaims', '-l', 'weft.dev/node=node1'])).split('\n')
      expect(shown[0]?.split(/ +/)).toEqual(['NAME', 'ADDRESS', 'POOL', 'NAMESPACE', 'POD', 'INTERFACE', 'NODE', 'AGE'])
      expect(shown[1]).toMatch(/^underlay\.172\.18\.30\.1 +172\.18\.30\.1 +test +shop +web-0 +eth0 +node1 /)
    },
    LIMIT,
  )

  test(
    'an agent says which networks pods of its node got, and nothing else of them',
    async () => {
      const path = (node: string): string => `/api/v1/namespaces/weft-system/pods/agent-${node}/status`
      const said = { metadata: { annotations: { 'k8s.v1.cni.cncf.io/network-status': '[]' } } }
      const only = 'may only write the annotation'
      await eventually(async () => {
        const answer = await ask('node1', 'PATCH', path('node2'), said)
        expect(answer.message).toContain('may only write to pods of its own node')
      }, PATIENCE)
      expect(await ask('node1', 'PATCH', path('node1'), said)).toEqual({ status: 200, message: '' })
      for (const more of [
        { metadata: { annotations: { other: 'x' } } },
        { metadata: { labels: { app: 'x' } } },
        { metadata: { finalizers: ['example.org/x'] } },
        { status: { podIP: '192.0.2.1' } },
        { status: { phase: 'Running' } },
      ]) {
        expect((await ask('node1', 'PATCH', path('node1'), more)).message).toContain(only)
      }
      expect((await ask('lb1', 'PATCH', path('node1'), said)).status).toBe(403)
    },
    LIMIT,
  )

  test(
    'an agent counts the bridges of its node, and says nothing else of it',
    async () => {
      const path = (node: string): string => `/api/v1/nodes/${node}/status`
      const counted = { status: { capacity: { 'ovs-cni.network.kubevirt.io/br1': '1000' } } }
      await eventually(async () => {
        const answer = await ask('node1', 'PATCH', path('node2'), counted)
        expect(answer.message).toContain('may only write to its own node')
      }, PATIENCE)
      expect(await ask('node1', 'PATCH', path('node1'), counted)).toEqual({ status: 200, message: '' })
      const gone = { status: { capacity: { 'ovs-cni.network.kubevirt.io/br1': null } } }
      expect((await ask('node1', 'PATCH', path('node1'), gone)).status).toBe(200)
      for (const more of [
        { status: { capacity: { cpu: '1000' } } },
        { status: { allocatable: { 'example.org/gpu': '8' } } },
        { status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } },
        { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
        { metadata: { labels: { rack: 'x' } } },
        { metadata: { annotations: { other: 'x' } } },
      ]) {
        expect((await ask('node1', 'PATCH', path('node1'), more)).message).toContain('may only count bridges')
      }
    },
    LIMIT,
  )

  test(
    'the controller asks for a service, and makes none',
    async () => {
      const path = '/api/v1/namespaces/weft-system/services'
      const service = (name: string) => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { ports: [{ port: 1 }] },
      })
      await eventually(async () => {
        const answer = await ask('controller', 'POST', path, service(`forbidden-${crypto.randomUUID().slice(0, 8)}`))
        expect(answer).toEqual({ status: 403, message: expect.stringContaining('may ask for a service') })
      }, PATIENCE)
      expect((await ask('controller', 'POST', `${path}?dryRun=All`, service('asked'))).status).toBe(201)
      expect(
        (await ask('controller', 'POST', '/api/v1/namespaces/default/services?dryRun=All', service('asked'))).status,
      ).toBe(403)
    },
    LIMIT,
  )

  test.each([
    ['node1', 'GET', '/api/v1/secrets'],
    ['node1', 'GET', '/api/v1/namespaces/weft-system/secrets'],
    ['node1', 'GET', '/api/v1/namespaces/weft-system/configmaps/weft-config'],
    ['node1', 'PATCH', '/apis/weft.dev/v1alpha1/nodenetworks/node1'],
    ['node1', 'PATCH', '/apis/network.openshift.io/v1/netnamespaces/default'],
    ['node1', 'PATCH', '/apis/network.openshift.io/v1/clusternetworks/default'],
    ['node1', 'DELETE', `/apis/weft.dev/v1alpha1/nodereports/node1`],
    ['node1', 'PUT', '/apis/coordination.k8s.io/v1/namespaces/weft-system/leases/weft-controller'],
    ['node1', 'PATCH', '/apis/spiderpool.spidernet.io/v2beta1/spiderippools/any'],
    ['node1', 'PATCH', '/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/any'],
    ['node1', 'PATCH', '/api/v1/namespaces/weft-system/pods/agent-node1'],
    ['node1', 'PATCH', '/api/v1/nodes/node1'],
    ['lb1', 'GET', '/apis/weft.dev/v1/addressclaims'],
    ['lb1', 'GET', '/api/v1/secrets'],
    ['lb1', 'GET', '/api/v1/services'],
    ['lb1', 'PATCH', '/apis/weft.dev/v1alpha1/nodenetworks/lb1'],
    ['controller', 'GET', '/api/v1/secrets'],
    ['controller', 'GET', '/api/v1/namespaces/weft-system/secrets/any'],
    ['controller', 'GET', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/another'],
    ['controller', 'GET', '/apis/coordination.k8s.io/v1/namespaces/weft-system/leases/weft-controller'],
    ['controller', 'PATCH', '/apis/network.openshift.io/v1/clusternetworks/default'],
    ['controller', 'POST', REPORTS],
  ])('%s may not %s %s', async (who, method, path) => {
    const body = method === 'GET' || method === 'DELETE' ? undefined : {}
    expect((await ask(who, method, path, body)).status).toBe(403)
  })
}

function documentsIn(text: string): number {
  return parseAllDocuments(text).filter((document) => document.toJS() !== null).length
}

function nodeNamed(name: string): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name } }
}

function agentPod(node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `agent-${node}`, namespace: 'weft-system' },
    spec: {
      nodeName: node,
      serviceAccountName: 'weft-agent',
      containers: [{ name: 'agent', image: 'none' }],
    },
  }
}

function reportOf(node: string): object {
  const agent = { ready: false, uplinkMtu: 1500, datapath: 'netdev' }
  return { apiVersion: 'weft.dev/v1alpha1', kind: 'NodeReport', metadata: { name: node }, nodeUID: '', agent }
}

function claimOf(node: string, last: number, more: object = {}): object {
  const name = `underlay.172.18.30.${last}`
  const spec = {
    address: `172.18.30.${last}`,
    prefixLength: 16,
    pool: 'test',
    namespace: 'shop',
    pod: 'web-0',
    podUID: 'u',
    interface: 'eth0',
    sandbox: 'c',
    node,
    ...more,
  }
  const metadata = { name, labels: { 'weft.dev/node': node } }
  return { apiVersion: 'weft.dev/v1', kind: 'AddressClaim', metadata, spec }
}

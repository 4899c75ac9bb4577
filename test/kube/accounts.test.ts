/**
 * Accounts that change while a program runs, against a real kube-apiserver: a pod's account whose token is replaced, and
 * plugins that give out tokens and certificates.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { loadKubeconfig, loadServiceAccount } from '../../src/kube/kubeconfig.ts'
import type { KubeObject, Resource } from '../../src/kube/object.ts'
import { LEASES, NAMESPACES, SECRETS } from '../../src/kube/resources.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually, freePort, start } from './process.ts'

const PATIENCE = 120_000
const NAMESPACE = 'default'
const ACCOUNT = 'weft-test'
const GROUP = 'client.authentication.k8s.io/v1'
const ROLE_BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
}
const SERVICE_ACCOUNTS: Resource = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
}

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = startCluster(ASSETS)
  afterAll(async () => (await starting).stop())
  describe('on a real kube-apiserver', () => suite(starting))
}

function suite(starting: Promise<ControlPlane>): void {
  test(
    "a pod's account goes on when its token is replaced and the old one is void",
    async () => {
      const plane = await starting
      const folder = join(plane.folder, 'account')
      const first = await issueToken(plane, 'first')
      mount(folder, 'one', { token: first, ca: readFileSync(plane.certificates.ca, 'utf8') })
      const { port } = new URL(plane.server)
      const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port }
      const config = loadServiceAccount(env, folder)
      expect(config.namespace).toBe(NAMESPACE)
      const client = new KubeClient(config)
      expect(await client.get(NAMESPACES, { name: NAMESPACE })).toBeDefined()
      await revoke(plane, 'first', first)
      expect(await codeOf(client.get(NAMESPACES, { name: NAMESPACE }))).toBe('KUBE_UNAUTHORIZED')
      const second = await issueToken(plane, 'second')
      mount(folder, 'two', { token: second, ca: readFileSync(plane.certificates.ca, 'utf8') })
      expect(await client.get(NAMESPACES, { name: NAMESPACE })).toBeDefined()
      client.close()
    },
    PATIENCE,
  )

  test(
    'a server without accounts is reached by its address alone',
    async () => {
      const plane = await starting
      const port = freePort()
      // kubectl has the account, and serves without one on the loopback.
      const proxy = start(
        [`${ASSETS}/kubectl`, `--server=${plane.server}`, ...credentialsOf(plane), 'proxy', `--port=${port}`],
        join(plane.folder, 'proxy.log'),
      )
      const client = new KubeClient(loadKubeconfig(undefined, { KUBERNETES_MASTER: `127.0.0.1:${port}` }))
      await eventually(async () => {
        expect(await codeOf(client.get(NAMESPACES, { name: NAMESPACE }))).toBe('ok')
      }, 30_000)
      const { major, text } = await client.discovery.version()
      expect([major, `v${major}.`]).toEqual([1, text.slice(0, 3)])
      expect(await client.serves(LEASES)).toBe(true)
      expect(await client.serves({ ...LEASES, version: 'v9' })).toBe(false)
      client.close()
      await proxy.stop()
    },
    PATIENCE,
  )

  test(
    "a plugin's token is used until it is void, then the next one",
    async () => {
      const plane = await starting
      const answer = join(plane.folder, 'answer.json')
      const issue = (token: string): void => {
        writeFileSync(answer, JSON.stringify({ apiVersion: GROUP, kind: 'ExecCredential', status: { token } }))
      }
      const third = await issueToken(plane, 'third')
      issue(third)
      const clock = { offset: 0 }
      const config = kubeconfigWith(plane, `cat ${answer}; echo run >>${plane.folder}/runs`)
      const client = new KubeClient(config, { now: () => performance.now() + clock.offset })
      for (let i = 0; i < 3; i += 1) expect(await client.get(NAMESPACES, { name: NAMESPACE })).toBeDefined()
      await revoke(plane, 'third', third)
      issue(await issueToken(plane, 'fourth'))
      clock.offset += 5_000
      expect(await client.get(NAMESPACES, { name: NAMESPACE })).toBeDefined()
      expect(readFileSync(join(plane.folder, 'runs'), 'utf8')).toBe('run\nrun\n')
      client.close()
    },
    PATIENCE,
  )

  test(
    "a plugin's client certificate is shown to the server, and only once it is good",
    async () => {
      const plane = await starting
      const { ca, clientCert, clientKey } = plane.certificates
      const answer = join(plane.folder, 'certificate.json')
      const issue = (cert: string): void => {
        const status = {
          clientCertificateData: readFileSync(cert, 'utf8'),
          clientKeyData: readFileSync(clientKey, 'utf8'),
        }
        writeFileSync(answer, JSON.stringify({ apiVersion: GROUP, kind: 'ExecCredential', status }))
      }
      issue(clientCert)
      const client = new KubeClient(kubeconfigWith(plane, `cat ${answer}`))
      expect(await client.get(NAMESPACES, { name: NAMESPACE })).toBeDefined()
      client.close()
      issue(ca)
      const wrong = new KubeClient(kubeconfigWith(plane, `cat ${answer}`))
      expect(await codeOf(wrong.get(NAMESPACES, { name: NAMESPACE }))).not.toBe('ok')
      wrong.close()
    },
    PATIENCE,
  )
}

async function startCluster(assets: string): Promise<ControlPlane> {
  const plane = await ControlPlane.start(assets)
  const admin = new KubeClient(plane.config())
  await eventually(() => admin.create(SERVICE_ACCOUNTS, objectOf('v1', 'ServiceAccount', ACCOUNT)), 30_000)
  await admin.create(ROLE_BINDINGS, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: ACCOUNT },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
  })
  admin.close()
  return plane
}

function credentialsOf({ token, certificates }: ControlPlane): readonly string[] {
  return [`--token=${token}`, `--certificate-authority=${certificates.ca}`]
}

/** A token that is good as long as a secret of that name is there; a kubelet's are bound to their pod. */
async function issueToken(plane: ControlPlane, name: string): Promise<string> {
  const admin = new KubeClient(plane.config())
  const secret = await admin.create(SECRETS, objectOf('v1', 'Secret', name))
  admin.close()
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name, uid: secret.metadata.uid }
  const url = `${plane.server}/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${ACCOUNT}/token`
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${plane.token}`, 'content-type': 'application/json' },
    // The shortest that the API server issues.
    body: JSON.stringify({ spec: { expirationSeconds: 600, boundObjectRef } }),
    tls: { ca: readFileSync(plane.certificates.ca, 'utf8') },
  })
  const { status } = (await answer.json()) as { readonly status: { readonly token: string } }
  return status.token
}

/** Makes a token void, and waits until the server says so of it: it keeps what it knows of a token for some seconds. */
async function revoke(plane: ControlPlane, name: string, token: string): Promise<void> {
  const admin = new KubeClient(plane.config())
  await admin.delete(SECRETS, { name, namespace: NAMESPACE })
  const { server, ca } = { ...plane.config(), ca: readFileSync(plane.certificates.ca, 'utf8') }
  const client = new KubeClient({ server, ca, credentials: () => ({ token }) })
  await eventually(async () => {
    expect(await codeOf(client.get(NAMESPACES, { name: NAMESPACE }))).toBe('KUBE_UNAUTHORIZED')
  }, 60_000)
  client.close()
  admin.close()
}

/** Puts an account where a pod finds it, as a kubelet does: all its files change by one rename. */
function mount(folder: string, version: string, { token, ca }: { readonly token: string; readonly ca: string }): void {
  const data = join(folder, `..${version}`)
  mkdirSync(data, { recursive: true })
  writeFileSync(join(data, 'token'), token)
  writeFileSync(join(data, 'ca.crt'), ca)
  writeFileSync(join(data, 'namespace'), NAMESPACE)
  symlinkSync(`..${version}`, join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  if (version !== 'one') return
  for (const name of ['token', 'ca.crt', 'namespace']) symlinkSync(join('..data', name), join(folder, name))
}

function kubeconfigWith(plane: ControlPlane, script: string) {
  const path = join(plane.folder, 'plugin.kubeconfig')
  writeFileSync(join(plane.folder, 'plugin'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(plane.folder, 'plugin'), 0o755)
  copyFileSync(plane.certificates.ca, join(plane.folder, 'plugin-ca.crt'))
  const cluster = { server: plane.server, 'certificate-authority': 'plugin-ca.crt' }
  const exec = { apiVersion: GROUP, command: './plugin', interactiveMode: 'Never', provideClusterInfo: true }
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { exec } }],
  }
  writeFileSync(path, JSON.stringify(config))
  return loadKubeconfig(path, {})
}

function objectOf(apiVersion: string, kind: string, name: string): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE } }
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof KubeError) return error.code
    throw error
  }
}

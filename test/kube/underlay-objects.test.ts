/**
 * The definitions of Spiderpool's, Multus's and our claims' objects on a real kube-apiserver: what they take, what they
 * refuse and in which words, and what `kubectl get` shows of them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { everyCrd } from '../../src/compat/crds.ts'
import { textAt } from '../../src/compat/fields.ts'
import { UNDERLAY_CASES, UNDERLAY_CHANGES } from '../../src/playground/apiserver/crd/testing/underlay.ts'
import { ROOT } from '../docs/markdown.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { runKubectl } from './kubectl.ts'

const LIMIT = 120_000

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () => underlayObjects(assets))
}

function underlayObjects(assets: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-underlay-objects-'))
  const kubeconfig = join(folder, 'kubeconfig')
  let plane: ControlPlane | undefined

  beforeAll(async () => {
    plane = await ControlPlane.start(assets)
    plane.writeKubeconfig(kubeconfig)
    await kubectl(['apply', '-f', join(ROOT, 'deploy/crds/addressclaims.yaml')])
    for (const one of ['spiderpool', 'multus']) await kubectl(['apply', '-k', join(ROOT, 'deploy/crds', one)])
    await kubectl(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s'])
  }, LIMIT)

  afterAll(async () => {
    await plane?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  function kubectl(args: readonly string[], input?: object): Promise<string> {
    return runKubectl({ assets, kubeconfig, home: folder }, args, input)
  }

  /** The server's words about an object; undefined where it is taken. */
  async function send(kind: string, fields: object, change?: string): Promise<string | undefined> {
    const crd = everyCrd().find((one) => textAt(one, 'spec', 'names', 'kind') === kind)
    const [group, plural] = [textAt(crd, 'spec', 'group'), textAt(crd, 'spec', 'names', 'plural')]
    const version = kind === 'AddressClaim' || kind.startsWith('Network') ? 'v1' : 'v2beta1'
    const isNamespaced = textAt(crd, 'spec', 'scope') === 'Namespaced'
    const path = `/apis/${group}/${version}/${isNamespaced ? 'namespaces/default/' : ''}${plural}`
    const { server, ca } = plane?.config() ?? {}
    const answer = await fetch(`${server}${path}${change === undefined ? '' : `/${change}`}?dryRun=All`, {
      method: change === undefined ? 'POST' : 'PATCH',
      headers: {
        authorization: `Bearer ${plane?.token}`,
        'content-type': change === undefined ? 'application/json' : 'application/merge-patch+json',
      },
      ...(ca === undefined ? {} : { tls: { ca } }),
      body: JSON.stringify({ apiVersion: `${group}/${version}`, kind, metadata: { name: 'x' }, ...fields }),
    })
    const { message = '' } = (await answer.json()) as { readonly message?: string }
    return answer.ok ? undefined : message
  }

  for (const [kind, fields, words] of UNDERLAY_CASES) {
    const is = words === undefined ? 'stored' : 'refused'
    test(`${kind} ${JSON.stringify(fields).slice(0, 80)} is ${is}`, async () => {
      const said = await send(kind, fields)
      if (words === undefined) expect(said).toBeUndefined()
      else expect(said).toEndWith(`" is invalid: ${words}`)
    })
  }

  for (const [kind, before, after, words] of UNDERLAY_CHANGES) {
    test(`${kind} may not become ${JSON.stringify(after).slice(0, 80)}`, async () => {
      const group = kind === 'AddressClaim' ? 'weft.dev/v1' : 'spiderpool.spidernet.io/v2beta1'
      await kubectl(['create', '-f', '-'], { apiVersion: group, kind, metadata: { name: 'x' }, ...before })
      expect(await send(kind, after, 'x')).toEndWith(`" is invalid: ${words}`)
      await kubectl(['delete', kind, 'x'])
    })
  }

  test(
    'kubectl shows the columns that Spiderpool’s users know',
    async () => {
      const headOf = async (what: string, ...more: readonly string[]): Promise<readonly string[]> =>
        ((await kubectl(['get', what, ...more])).split('\n')[0] ?? '').split(/ {2,}/)
      for (const manifest of SHOWN) await kubectl(['create', '-f', '-'], manifest)
      const pool = ['NAME', 'VERSION', 'SUBNET', 'ALLOCATED-IP-COUNT', 'TOTAL-IP-COUNT', 'DEFAULT', 'DISABLE']
      for (const name of ['sp', 'spiderippool', 'spiderippools']) expect(await headOf(name)).toEqual(pool)
      expect(await headOf('sp', '-o', 'wide')).toEqual([...pool, 'NODENAME', 'MULTUSNAME', 'APP-NAMESPACE'])
      const counts = ['ALLOCATED-IP-COUNT', 'TOTAL-IP-COUNT']
      expect(await headOf('ss')).toEqual(['NAME', 'VERSION', 'SUBNET', ...counts])
      expect(await headOf('sr')).toEqual(['NAME', 'VERSION'])
      const ips = ['INTERFACE', 'IPV4POOL', 'IPV4', 'IPV6POOL', 'IPV6', 'NODE']
      expect(await headOf('spiderendpoints')).toEqual(['NAME', ...ips])
      expect((await kubectl(['get', 'se', '--no-headers'])).split(/ {2,}/)).toEqual([
        ...['shown', 'eth0', 'ippool-test', '172.18.30.131/16', 'n'],
      ])
      const wide = await kubectl(['get', 'sp', '-o', 'wide', '--no-headers'])
      expect(wide.split(/ {2,}/).slice(-2)).toEqual(['["kube-system/ovs-conf"]', 'shop'])
      expect(await headOf('smc')).toEqual(['NAME', 'READY', 'REASON', 'AGE'])
      for (const name of ['scc', 'net-attach-def', 'nad']) await kubectl(['get', name])
      expect(await kubectl(['get', 'spiderpool', '-o', 'name'])).toContain('spiderippool.spiderpool.spidernet.io/shown')
    },
    LIMIT,
  )
}

const SHOWN = [
  objectOf('SpiderIPPool', {
    spec: {
      ...{ subnet: '172.18.0.0/16', ips: ['172.18.30.131'], multusName: ['kube-system/ovs-conf'] },
      podAffinity: { matchLabels: { 'ipam.spidernet.io/app-namespace': 'shop' } },
    },
  }),
  objectOf('SpiderSubnet', { spec: { subnet: '172.18.0.0/16' } }),
  objectOf('SpiderReservedIP', { spec: { ips: ['172.18.30.131'] } }),
  objectOf('SpiderMultusConfig', { spec: { cniType: 'ovs', ovs: { bridge: 'br1' } } }),
  objectOf('SpiderEndpoint', {
    status: {
      current: { uid: 'u', node: 'n', ips: [{ interface: 'eth0', ipv4Pool: 'ippool-test', ipv4: '172.18.30.131/16' }] },
    },
  }),
]

function objectOf(kind: string, fields: object): object {
  return { apiVersion: 'spiderpool.spidernet.io/v2beta1', kind, metadata: { name: 'shown' }, ...fields }
}

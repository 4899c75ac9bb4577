/** STATUS of the networks that every pod gets, with real folders of programs. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CniError, EMPTY_RESULT, type JsonObject } from '../../cni/index.ts'
import type { Plugin } from '../plugins/plugin.ts'
import { pluginsFrom } from '../plugins/plugins.ts'
import { programIpam, programPlugin } from '../plugins/program.ts'
import { checkConfigured } from './configured.ts'
import { resolvingBy } from './testing/call.ts'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-networks-path-'))
afterAll(() => rmSync(folder, { recursive: true }))
for (const [type, text] of [
  ['there', ''],
  ['unready', '[ "$CNI_COMMAND" = STATUS ] && { echo \'{"cniVersion":"1.1.0","code":50,"msg":"no wire"}\'; exit 1; }'],
] as const) {
  const versions = '{"cniVersion":"1.1.0","supportedVersions":["1.0.0","1.1.0"]}'
  const script = `#!/bin/sh\ncat >/dev/null\n[ "$CNI_COMMAND" = VERSION ] && echo '${versions}'\n${text}\nexit 0\n`
  writeFileSync(join(folder, type), script, { mode: 0o755 })
}

/** The type `own` is done here: it delegates STATUS to its IPAM, and wants to be asked with its whole configuration. */
const asked: JsonObject[] = []
const own: Plugin = {
  add: async () => EMPTY_RESULT,
  del: async () => undefined,
  check: async () => undefined,
  status: async (call) => {
    asked.push(call.config)
    await plugins.ipam(String(Object(call.config['ipam']).type)).status?.(call)
  },
}
const plugins = pluginsFrom({
  plugins: new Map([['own', own]]),
  ipam: new Map(),
  program: programPlugin,
  programIpam,
})

const network = (name: string, ...steps: readonly JsonObject[]) => ({ cniVersion: '1.1.0', name, plugins: steps })
const DEFINITIONS = {
  'kube-system/good': network('good', { type: 'own', ipam: { type: 'there' } }, { type: 'there' }),
  'kube-system/no-program': network('no-program', { type: 'there' }, { type: 'gone' }),
  'kube-system/no-ipam': network('no-ipam', { type: 'own', ipam: { type: 'gone-ipam' } }),
  'kube-system/unready': network('unready', { type: 'unready' }),
  'shop/theirs': network('theirs', { type: 'there' }),
}

const statusOf = (clusterNetwork: string | undefined, ...defaultNetworks: readonly string[]): Promise<void> =>
  checkConfigured(
    plugins,
    resolvingBy(DEFINITIONS, { defaultNetworks, ...(clusterNetwork === undefined ? {} : { clusterNetwork }) }),
    [folder],
  )

test('all that is there is ready, and was asked with the network’s name and version', async () => {
  await statusOf(undefined)
  expect(asked).toEqual([])
  await statusOf('good', 'kube-system/good')
  expect(asked).toHaveLength(2)
  expect(asked[0]).toMatchObject({ type: 'own', name: 'good', cniVersion: '1.1.0' })
})

test.each<[string, string, string]>([
  ['a program that is not on the node', 'no-program', 'network no-program: plugin gone is not on this node'],
  ['an IPAM program that is not on the node', 'no-ipam', 'network no-ipam: plugin gone-ipam is not on this node'],
  ['a program that says so', 'unready', 'network unready: unready: no wire'],
  ['a definition that is not there', 'nowhere', 'cannot find a network-attachment-definition (nowhere)'],
  ['a plugin that was not granted', 'shop/theirs', 'shop/theirs asks for type: plugin there'],
])('%s: the network is not ready, be it the cluster’s or a further one', async (_, name, words) => {
  for (const [first, ...further] of [[name], [undefined, name], ['good', 'good', name]]) {
    const error = await statusOf(first, ...further.map(String)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CniError)
    expect(error).toEqual(
      expect.objectContaining({ code: 50, id: 'status-not-ready', message: expect.stringContaining(words) }),
    )
  }
})

/**
 * What in deploy/ follows from the code and from other files is current, and kubectl makes the same of it.
 */
import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { manifests } from '../scripts/manifests.ts'
import { FOREIGN_CRDS, weftCrds } from '../src/compat/crds.ts'
import { decodeSettings } from '../src/settings/decode.ts'
import { ROOT } from './docs/markdown.ts'
import { output } from './lab/command.ts'

const ASSETS = process.env['KUBEBUILDER_ASSETS'] ?? ''
const KUBECTL = join(ASSETS, 'kubectl')
const HAS_KUBECTL = ASSETS !== '' && existsSync(KUBECTL)
const { version } = parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }

interface Thing {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

test.each([...manifests()])('deploy/%s is current (npm run manifests)', (name, text) => {
  expect(read(name)).toBe(text)
})

test('no object of a kind that the file defines is in it: the first kubectl apply would fail', () => {
  const defined = new Set(weftCrds().map((crd) => Reflect.get(Object(crd['spec']), 'names').kind))
  expect(objectsIn('weft.yaml').filter(({ kind }) => defined.has(kind))).toEqual([])
})

// kubectl reads YAML 1.1, where a bare n is false: a field of that name made the whole file unreadable.
test('kubectl reads the same in definitions as we do', () => {
  const as = (version: '1.1' | '1.2'): unknown =>
    parseAllDocuments(read('weft.yaml'), { version })
      .map((one): Thing => one.toJSON())
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map((one) => JSON.stringify(one))
  expect(as('1.1')).toEqual(as('1.2'))
})

test('every definition is in it, at its end', () => {
  const kinds = objectsIn('weft.yaml').map(({ kind }) => kind)
  const first = kinds.indexOf('CustomResourceDefinition')
  expect(kinds.slice(first)).toEqual(weftCrds().map(() => 'CustomResourceDefinition'))
})

test('the Lease is made before the controllers, and deleted when they may not make it anew', () => {
  const things = objectsIn('weft.yaml').map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  const lease = things.indexOf('Lease weft-controller')
  expect(lease).toBeLessThan(things.indexOf('Deployment weft-controller'))
  for (const right of ['Role weft-controller', 'RoleBinding weft-controller'])
    expect(lease).toBeGreaterThan(things.lastIndexOf(right))
  expect(things.indexOf('RoleBinding weft-controller')).toBeGreaterThan(0)
  expect(lease).toBeGreaterThan(0)
})

test('images are those of this version', () => {
  const images = [
    ...read('weft.yaml').matchAll(/^ +image: (.*)$/gm),
    ...read('weft-remove.yaml').matchAll(/^ +image: (.*)$/gm),
  ]
  expect(images.map(([, image]) => image)).toEqual(images.map(() => `weft:${version}`))
  expect(images.length).toBe(4)
})

test('the file without the policy differs by the policy, and by what is not safe without it', () => {
  const without = objectsIn('weft-no-admission-policy.yaml')
  // Without the policy nobody has what only the policy bounds.
  const isPolicy = ({ kind, metadata }: Thing): boolean =>
    kind.startsWith('ValidatingAdmissionPolicy') || metadata.name === 'weft-agent-on-its-node'
  expect(objectsIn('weft.yaml').filter((one) => !isPolicy(one))).toEqual(without)
  expect(objectsIn('weft.yaml').filter(isPolicy)).toHaveLength(14)
})

test('the ConfigMap says nothing but defaults', () => {
  const map = objectsIn('weft.yaml').find(({ kind }) => kind === 'ConfigMap')
  const { 'weft.yaml': file = '' } = (map?.['data'] ?? {}) as Readonly<Record<string, string>>
  expect(file).toContain('resync:')
  expect(decodeSettings(file)).toEqual({ ok: true, value: {} })
})

test('no role reads secrets, and none has a wildcard', () => {
  const roles = objectsIn('weft.yaml').filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
  expect(roles.length).toBeGreaterThan(2)
  expect(JSON.stringify(roles)).not.toMatch(/secrets|"\*"/)
})

if (!HAS_KUBECTL) console.warn('KUBEBUILDER_ASSETS names no folder with kubectl: what kustomize makes is not compared')
test.skipIf(!HAS_KUBECTL).each([
  ['weft.yaml', 'default'],
  ['weft-no-admission-policy.yaml', 'no-admission-policy'],
  ['weft-remove.yaml', 'remove'],
])('deploy/%s is what kubectl makes of overlays/%s', async (name, overlay) => {
  const made = await output([KUBECTL, 'kustomize', join(ROOT, 'deploy/overlays', overlay)])
  expect(sorted(documentsOf(made))).toEqual(sorted(objectsIn(name)))
})

test.skipIf(!HAS_KUBECTL)(
  'the overlay for nodes without the kernel’s module takes the userspace datapath',
  async () => {
    const made = await output([KUBECTL, 'kustomize', join(ROOT, 'deploy/overlays/userspace')])
    expect(JSON.stringify(documentsOf(made).find(({ kind }) => kind === 'DaemonSet'))).toContain('"--datapath=netdev"')
  },
)

test.skipIf(!HAS_KUBECTL).each(Object.entries(FOREIGN_CRDS))(
  'the definitions of others are what kubectl makes of their folder %s',
  async (folder, crds) => {
    const made = await output([KUBECTL, 'kustomize', join(ROOT, 'deploy/crds', folder)])
    expect<unknown>(sorted(documentsOf(made))).toEqual(sorted(crds as unknown as readonly Thing[]))
  },
)

test('the definitions of others are in no file: a cluster may have its own', () => {
  const others = new Set(Object.values(FOREIGN_CRDS).flatMap((crds) => crds.map(({ metadata }) => metadata.name)))
  expect(others.size).toBe(18)
  for (const name of ['weft.yaml', 'weft-no-admission-policy.yaml']) {
    const names = objectsIn(name).map(({ metadata }) => metadata.name)
    expect(names.filter((one) => others.has(one))).toEqual([])
    expect(names).toContain('egressnetworkpolicies.network.openshift.io')
  }
})

function objectsIn(name: string): Thing[] {
  return documentsOf(read(name))
}

function documentsOf(text: string): Thing[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Thing | null)
    .filter((object) => object !== null)
}

function sorted(objects: readonly Thing[]): Thing[] {
  const key = ({ kind, metadata }: Thing): string => `${kind}/${metadata.namespace}/${metadata.name}`
  return objects.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

function read(name: string): string {
  return readFileSync(join(ROOT, 'deploy', name), 'utf8')
}

/**
 * The arrows: which room may import which. Types count too: a room that needs another's types depends on it.
 *
 * A small test does it because dependency-cruiser reads sources through TypeScript's JavaScript API, which version 7 no
 * longer has (docs/adr/0002).
 */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const ROOT = join(import.meta.dir, '..')
const CORE = ['flow', 'network', 'ipam']
const SHARED = [...CORE, 'registry']
const CLIENTS = ['linux', 'ovs', 'bird', 'cni']
/** What joins rooms. */
const JOINT = [...SHARED, ...CLIENTS, 'files', 'kube', 'etcd', 'compat', 'place', 'version.ts']

/** Room → what it may import besides itself. An entry with a slash allows that part of a room only. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  flow: [],
  text: [],
  files: [],
  network: ['flow', 'ipam'],
  ipam: ['flow', 'network'],
  registry: ['network', 'ipam'],
  settings: ['network/model'],
  linux: ['flow'],
  ovs: ['flow'],
  bird: [],
  ovn: ['ovs', 'network/model', 'registry', 'text/coded-error.ts'],
  openstack: ['registry/deadline.ts', 'registry/backoff.ts'],
  cni: ['network/model'],
  dns: ['linux/ip.ts'],
  kube: ['registry', 'network/model'],
  etcd: ['registry', 'network/model'],
  compat: [
    ...['kube', 'etcd', 'openstack', 'registry', 'cni', 'network/model', 'network/fabric/bgp/model.ts'],
    'network/fabric/overhead.ts',
    'network/virtual-addresses.ts',
    'text/coded-error.ts',
  ],
  place: ['files', 'kube', 'etcd', 'ovn', 'compat', 'registry'],
  agent: [...JOINT, 'dns', 'openstack'],
  bridge: ['network', 'files', 'linux', 'ovs', 'agent/wire', 'text'],
  controller: [...SHARED, 'kube', 'openstack', 'compat', 'settings', 'version.ts'],
  flanneld: [
    ...CORE,
    'files',
    'registry',
    'linux',
    'kube',
    'etcd',
    'compat/flannel',
    'agent/node/own-filters.ts',
    'agent/repeater.ts',
  ],
  mesh: [
    'network',
    'files',
    'registry/backoff.ts',
    'linux',
    'ovs',
    'etcd',
    'settings/yaml.ts',
    'text',
    'agent/node/own-filters.ts',
    'agent/repeater.ts',
  ],
  underlay: [...JOINT, 'openstack', 'bridge', 'text', 'agent/attach/veth.ts', 'agent/plugins/configure.ts'],
  insight: [...JOINT, 'agent', 'text'],
  playground: ['network', 'registry', 'linux', 'dns', 'kube', 'compat', 'agent/log.ts', 'text', 'version.ts'],
  cli: [
    ...JOINT,
    'openstack',
    'ovn',
    'settings',
    'agent',
    'bridge',
    'controller',
    'flanneld',
    'mesh',
    'underlay',
    'insight',
    'playground',
    'text',
  ],
  'main.ts': ['cli'],
  'version.ts': [],
}

/** No clock, no I/O, no package in these: they are functions of what they are given. */
const PURE = new Set([...CORE, 'text'])
const PURE_EXCEPTIONS: readonly { readonly file: string; readonly imported: string }[] = [
  // `isIPv4` and `isIPv6` are functions of a text; a socket is not made there.
  { file: 'src/network/model/address.ts', imported: 'node:net' },
  // A comparison of two values.
  { file: 'src/network/diff.ts', imported: 'node:util' },
  // Colour sequences; whether they are wanted is decided by the caller.
  { file: 'src/text/look.ts', imported: 'picocolors' },
]

const files = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))

test('every import follows the arrows', () => {
  expect(files.length).toBeGreaterThan(50)
  const broken = files.flatMap((file) => violationsOf(file, readFileSync(join(ROOT, file), 'utf8')))
  expect(broken).toEqual([])
})

test('every room is in the table', () => {
  const rooms = new Set(files.map(roomOf))
  expect([...rooms].filter((room) => !Object.hasOwn(ALLOWED, room))).toEqual([])
})

test.each([
  ['a value', "import { a } from '../cli/x.ts'"],
  ['a type', "import type { A } from '../cli/x.ts'"],
  ['a type among values', "import { type A } from '../cli/x.ts'"],
  ['several lines', "import {\n  type A,\n  type B,\n} from '../cli/x.ts'"],
  ['a re-export', "export * from '../cli/x.ts'"],
  ['a re-exported type', "export type { A } from '../cli/x.ts'"],
  ['a type in place', "type A = import('../cli/x.ts').A"],
  ['a side effect', "import '../cli/x.ts'"],
  ['a dynamic import', "export const a = await import('../cli/x.ts')"],
  ['a testing folder', "import { a } from './testing/x.ts'"],
  ['a test', "import { a } from './x.test.ts'"],
  ['the test folder', "import { a } from '../../test/tables/x.ts'"],
  ['the system, in the core', "import { readFileSync } from 'node:fs'"],
])('%s against the arrows is found', (_, source) => {
  expect(violationsOf('src/flow/sample.ts', source)).toHaveLength(1)
})

test('tests, testing folders and the own room are free', () => {
  expect(violationsOf('src/flow/sample.test.ts', "import { a } from '../cli/x.ts'")).toEqual([])
  expect(violationsOf('src/ovs/testing/sample.ts', "import { a } from '../cli/x.ts'")).toEqual([])
  expect(violationsOf('src/flow/sample.ts', "import { a } from './other.ts'")).toEqual([])
  expect(violationsOf('src/cni/sample.ts', "import type { Ip } from '../network/model/address.ts'")).toEqual([])
  expect(violationsOf('src/cni/sample.ts', "import { plan } from '../network/plan.ts'")).toHaveLength(1)
})

/** What is wrong with a file's imports, one sentence each. */
function violationsOf(file: string, source: string): string[] {
  if (isTestCode(file)) return []
  return importsOf(source).flatMap((imported) => {
    const reason = objectionTo(file, imported)
    return reason === undefined ? [] : [`${file} imports ${imported}: ${reason}`]
  })
}

function objectionTo(file: string, imported: string): string | undefined {
  const room = roomOf(file)
  if (!imported.startsWith('.')) {
    const excepted = PURE_EXCEPTIONS.some((one) => file === one.file && imported === one.imported)
    return PURE.has(room) && !excepted ? `${room} is pure and imports no module or package` : undefined
  }
  const target = join(dirname(file), imported)
  if (isTestCode(target)) return 'only tests may import test code'
  if (!target.startsWith('src/')) return isData(room, target) ? undefined : 'it is outside src/'
  const targetRoom = roomOf(target)
  const allowed = ALLOWED[room] ?? []
  if (targetRoom === room || allowed.some((entry) => isWithin(target, entry))) return undefined
  return `${room} may import ${allowed.length === 0 ? 'no other room' : `only ${allowed.join(', ')}`}`
}

/** What is shipped beside the sources and read by them: the package's own facts, and the objects that Weft defines. */
function isData(room: string, target: string): boolean {
  return target === 'package.json' || (room === 'compat' && /^deploy\/crds\/(?:[^/]+\/)?[^/]+\.yaml$/.test(target))
}

/** Everything a source imports. The transpiler leaves types out, so the text is searched for those. */
function importsOf(source: string): string[] {
  const values = new Bun.Transpiler({ loader: 'ts' }).scanImports(source).map(({ path }) => path)
  const statements = source.matchAll(/^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm)
  const inPlace = source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)
  return [...new Set([...values, ...[...statements, ...inPlace].flatMap(([, path]) => path ?? [])])]
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? ''
}

function isWithin(target: string, entry: string): boolean {
  return target === `src/${entry}` || target.startsWith(`src/${entry}/`)
}

function isTestCode(file: string): boolean {
  return /\.test\.ts$|^test\/|\/testing\/|\/conformance[^/]*\.ts$/.test(file)
}

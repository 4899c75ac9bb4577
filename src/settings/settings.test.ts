import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { parse } from 'yaml'
import { describeProblems } from '../network/model/decode.ts'
import { clusterWish } from './cluster.ts'
import { decodeSettings } from './decode.ts'
import { SettingsError } from './errors.ts'
import { loadSettings } from './load.ts'
import { nearest } from './nearest.ts'
import { commentedFile, settingsPage } from './print.ts'
import type { Setting } from './setting.ts'
import { SECTIONS, SETTINGS } from './table.ts'

const ALL = Object.entries<Setting>(SETTINGS)

test('a key is a section’s, and every section has one', () => {
  const sections = new Set(ALL.map(([key]) => key.split('.')[0] ?? ''))
  expect([...sections].sort()).toEqual(Object.keys(SECTIONS).sort())
})

test.each(ALL)('the default or example of %s is a value of it', (key, { type, default: value, example, otherwise }) => {
  const shown = value ?? example
  expect(shown).toBeDefined()
  const problems: never[] = []
  expect(type.decode(JSON.parse(JSON.stringify(shown)), { path: key, problems })).toEqual(shown as never)
  expect(value === undefined).toBe(otherwise !== undefined)
})

test('the commented file means the same as an empty one', () => {
  expect(decodeSettings(commentedFile())).toEqual({ ok: true, value: {} })
  expect(decodeSettings('')).toEqual({ ok: true, value: {} })
})

test('with its comment signs removed the file gives every setting', () => {
  const bare = commentedFile().replaceAll(/^ {2}#(?=[a-z])/gim, '  ')
  const decoded = decodeSettings(bare)
  expect(decoded.ok ? Object.keys(decoded.value).sort() : decoded.problems).toEqual(Object.keys(SETTINGS).sort())
})

test('the page has every setting', () => {
  const page = settingsPage()
  expect(ALL.filter(([key]) => !page.includes(`| \`${key}\` |`))).toEqual([])
})

test.each([
  ['agent: {rsync: 5}', 'agent.rsync', 'did you mean agent.resync?'],
  ['agent: {resync: 5, resync: 6}', '"resync" is there twice', 'remove one of them'],
  ['log: {}\nlog: {}', '"log" is there twice', 'remove one of them'],
  ['agent: {resync: 86401}', 'agent.resync: 86401 is not a whole number from 5 to 86400', ''],
  ['agent: {resync: 0}', 'agent.resync: 0 is not a whole number from 5 to 86400', ''],
  ['agent: {resync: "5"}', 'agent.resync: "5" is not', ''],
  ['agent: {resync: }', 'agent.resync: has no value', 'a whole number from 5 to 86400'],
  ['agent: {runDir: run}', 'agent.runDir: "run" is not an absolute path', ''],
  ['agent: {cniConfigName: ../x}', 'agent.cniConfigName: "../x" is not a file name', ''],
  ['clustr: {mtu: 1450}', 'clustr: there is no such section', 'did you mean cluster?'],
  ['resync: 5', 'resync: there is no such section', 'did you mean agent.resync?'],
  ['agent: {mtu: 1450}', 'agent.mtu: there is no such setting', 'did you mean cluster.mtu?'],
  ['cluster: {tenancy: flat}', 'cluster.tenancy: "flat" is not known', 'one of multitenant, subnet'],
  ['cluster: {podNetworks: [10.0.0.0/8]}', 'cluster.podNetworks[0].hostBits', '{cidr: 10.0.0.0/8, hostBits: 9}'],
  ['cluster: {podNetworks: []}', 'cluster.podNetworks: the list is empty', ''],
  ['cluster: {serviceNetworks: [10.96.0.1/12]}', 'cluster.serviceNetworks[0]: "10.96.0.1/12" is not a network', ''],
  ['[]', 'a list is no section', ''],
  ['agent: 5', 'agent: 5 is no section', ''],
  ['__proto__: {a: 1}', '__proto__: there is no such section', ''],
  ['agent: {__proto__: 1}', 'agent.__proto__: there is no such setting', ''],
  ['agent: [', 'not YAML', ''],
])('%s is refused by name', (text, problem, remedy) => {
  const decoded = decodeSettings(text)
  const told = decoded.ok ? 'accepted' : describeProblems(decoded.problems)
  expect(told).toContain(problem)
  expect(told).toContain(remedy)
})

test('a file of very many keys stops nobody who reads it', () => {
  const keys = (count: number): string => `log: {${Array.from({ length: count }, (_, number) => `k${number}`).join()}}`
  // Whoever compares each with each other one takes minutes for so many.
  const problems = [8_000, 100_000].map((count) => decodeSettings(keys(count)))
  expect(problems.map(({ ok }) => ok)).toEqual([false, false])
})

test('every problem is told at once', () => {
  const decoded = decodeSettings('agent: {rsync: 5, resync: x}\nlogs: {}')
  expect(decoded.ok ? [] : decoded.problems.map(({ path }) => path)).toEqual(['agent.rsync', 'agent.resync', 'logs'])
})

test('no text makes the decoder throw', () => {
  const piece = fc.constantFrom('agent', 'cluster', ':', ' ', '\n', '  ', '[', ']', '{', '}', '&a', '*a', '#', '5', '"')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((parts) => parts.join('')),
      ),
      (text) => {
        expect(typeof decodeSettings(text).ok).toBe('boolean')
      },
    ),
  )
})

test('what is given is read, and nothing else', () => {
  const decoded = decodeSettings(
    'agent:\n  datapath: netdev\n  resync: 5\ncluster:\n  serviceNetworks: [10.96.0.0/12]\n',
  )
  expect(decoded).toEqual({
    ok: true,
    value: { 'agent.datapath': 'netdev', 'agent.resync': 5, 'cluster.serviceNetworks': ['10.96.0.0/12' as never] },
  })
})

test('an unreadable file is told by its path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-settings-'))
  try {
    expect(() => loadSettings(join(folder, 'none'))).toThrow(SettingsError)
    writeFileSync(join(folder, 'bad'), 'agent: {rsync: 5}')
    expect(() => loadSettings(join(folder, 'bad'))).toThrow(/bad: agent\.rsync: .*agent\.resync/)
    writeFileSync(join(folder, 'good'), commentedFile())
    expect(loadSettings(join(folder, 'good'))).toEqual({})
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a pipe is not waited for, and what is no regular file is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-settings-'))
  try {
    const [pipe, link] = [join(folder, 'pipe'), join(folder, 'link')]
    expect(Bun.spawnSync(['mkfifo', pipe]).success).toBe(true)
    symlinkSync(pipe, link)
    for (const path of [pipe, link, folder, '/dev/zero']) expect(loadedElsewhere(path)).toBe('SETTINGS_UNREADABLE')
    // Kubernetes mounts a ConfigMap's files as links.
    writeFileSync(join(folder, 'file'), 'agent: {resync: 5}')
    symlinkSync('file', join(folder, 'mounted'))
    expect(loadedElsewhere(join(folder, 'mounted'))).toBe('{"agent.resync":5}')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** The settings in a file, or the code of the error, by a process of its own: this one would not come back from a pipe. */
function loadedElsewhere(path: string): string {
  const script = `const { loadSettings } = await import(process.argv[1])
    try { console.log(JSON.stringify(loadSettings(process.argv[2]))) } catch (error) { console.log(error.code) }`
  const command = [process.execPath, '-e', script, join(import.meta.dir, 'load.ts'), path]
  return Bun.spawnSync(command, { timeout: 10_000 }).stdout.toString().trim()
}

test('what a cluster is to be is what the file says of it', () => {
  expect(clusterWish({})).toEqual({})
  expect(clusterWish({ 'cluster.underlay': 'IPv6', 'cluster.serviceNetworks': [], 'cluster.mtu': 1400 })).toEqual({
    underlay: 6,
    mtu: 1400,
  })
})

test.each([
  ['rsync', 'resync'],
  ['addresrest', 'addressRest'],
  ['nonsense', undefined],
  ['', undefined],
])('%s is nearest to %s', (written, meant) => {
  expect(nearest(written, ['resync', 'addressRest', 'datapath'])).toBe(meant)
})

test('comments are plain text of bounded width', () => {
  const lines = commentedFile().split('\n')
  expect(lines.filter((line) => line.length > 120 || /[^\x20-\x7e]/.test(line))).toEqual([])
  expect(Object.keys(parse(commentedFile()))).toEqual(Object.keys(SECTIONS))
})

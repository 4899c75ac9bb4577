import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  asidesOf,
  type CniConfigPlace,
  configurationFor,
  giveCniConfig,
  holdCniConfig,
  publishesHostPorts,
} from './cni-config.ts'
import { OFFERED, type Portmap } from './portmap.ts'

let root: string
let place: CniConfigPlace

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wefttest-cni-config-'))
  place = { dir: join(root, 'net.d'), name: '10-weft.conflist', runDir: join(root, 'run') }
  mkdirSync(place.runDir)
})
afterEach(() => rmSync(root, { recursive: true }))

const files = () => readdirSync(place.dir).sort()
const text = (name = place.name) => readFileSync(join(place.dir, name), 'utf8')
const reboot = () => {
  rmSync(place.runDir, { recursive: true })
  mkdirSync(place.runDir)
}

test('it appears when pods can be attached, and stays over an agent’s restart', () => {
  holdCniConfig(place)
  giveCniConfig(place)
  expect(JSON.parse(text())).toEqual(configurationFor(place.name))
  holdCniConfig(place)
  expect(files()).toEqual(['10-weft.conflist'])
})

test('after the machine started anew it is put aside until it is true again, with what people changed in it', () => {
  giveCniConfig(place)
  const edited = JSON.stringify({ cniVersion: '1.0.0', name: 'weft', plugins: [{ type: 'weft' }, { type: 'portmap' }] })
  writeFileSync(join(place.dir, place.name), edited)
  giveCniConfig(place)
  expect(text()).toBe(edited)
  reboot()
  holdCniConfig(place)
  expect(files()).toEqual(['10-weft.conflist.waiting'])
  holdCniConfig(place)
  giveCniConfig(place)
  expect(files()).toEqual(['10-weft.conflist'])
  expect(text()).toBe(edited)
})

test.each([
  ['a file', (path: string) => writeFileSync(path, 'notes of mine')],
  ['a link that leads nowhere', (path: string) => symlinkSync('nowhere', path)],
  ['a folder', (path: string) => mkdirSync(path)],
])('%s of somebody’s where it is put aside is not overwritten: it is put beside that, and comes back', (_, occupy) => {
  giveCniConfig(place)
  const edited = JSON.stringify({ name: 'weft', plugins: [{ type: 'weft', mtu: 1400 }] })
  writeFileSync(join(place.dir, place.name), edited)
  const theirs = join(place.dir, '10-weft.conflist.waiting')
  occupy(theirs)
  const before = lstatSync(theirs)
  reboot()
  holdCniConfig(place)
  holdCniConfig(place)
  expect(files()).toEqual(['10-weft.conflist.waiting', '10-weft.conflist.waiting-2'])
  giveCniConfig(place)
  expect(files()).toEqual(['10-weft.conflist', '10-weft.conflist.waiting'])
  expect(text()).toBe(edited)
  expect(lstatSync(theirs)).toMatchObject({ ino: before.ino, size: before.size })
})

test('where nothing is free the configuration stays, and nothing is overwritten', () => {
  giveCniConfig(place)
  for (const name of asidesOf(place.name)) writeFileSync(join(place.dir, name), 'notes of mine')
  const before = files()
  reboot()
  holdCniConfig(place)
  expect(files()).toEqual(before)
  for (const name of asidesOf(place.name)) expect(text(name)).toBe('notes of mine')
})

test.each([
  ['that has nothing to do with us', '{"type": "bridge"}'],
  ['that is broken', '{"cniVersion": "1.0.0", "name": "weft", "plu'],
  ['that is empty', ''],
])('a file of that name %s is neither moved nor overwritten, and told of', (_, content) => {
  mkdirSync(place.dir)
  writeFileSync(join(place.dir, place.name), content)
  holdCniConfig(place)
  expect(() => giveCniConfig(place)).toThrow(expect.objectContaining({ code: 'AGENT_CNI_CONFIG' }))
  expect(text()).toBe(content)
  // Once it is gone, ours appears.
  rmSync(join(place.dir, place.name))
  giveCniConfig(place)
  expect(JSON.parse(text())).toEqual(configurationFor(place.name))
})

describe('the form follows the name', () => {
  test.each([
    ['10-weft.conflist', { name: 'weft', plugins: [{ type: 'weft' }] }],
    ['10-weft.conf', { name: 'weft', type: 'weft' }],
    ['80-k8s-ovs.conf', { cniVersion: '0.1.0', name: 'k8s-ovs', type: 'k8s-ovs' }],
  ])('%s', (name, expected) => expect(configurationFor(name)).toMatchObject(expected))
})

const DEBIAN: Portmap = { versions: ['0.4.0', '1.0.0'] }
const NEWEST: Portmap = { versions: OFFERED }
const PUBLISHING = { type: 'portmap', capabilities: { portMappings: true }, snat: true }

describe('portmap is called where it can be', () => {
  test.each([
    ['one that speaks all', NEWEST, { cniVersion: '1.0.0', cniVersions: ['0.4.0', '1.0.0', '1.1.0'] }],
    // Every plugin is called in the same version, and CHECK of one as old as that fails.
    ['Debian 12’s', DEBIAN, { cniVersion: '1.0.0', cniVersions: ['0.4.0', '1.0.0'], disableCheck: true }],
    [
      'Debian 11’s',
      { versions: ['0.4.0'] } as const,
      { cniVersion: '0.4.0', cniVersions: ['0.4.0'], disableCheck: true },
    ],
  ])('%s', (_, portmap, expected) => {
    const configuration = configurationFor('10-weft.conflist', portmap)
    expect(configuration).toEqual({ ...expected, name: 'weft', plugins: [{ type: 'weft' }, PUBLISHING] })
    expect(publishesHostPorts(configuration)).toBe(true)
  })

  test.each(['10-weft.conf', '80-k8s-ovs.conf'])('%s holds one plugin, and calls no other', (name) => {
    expect(configurationFor(name, NEWEST)).toEqual(configurationFor(name))
    expect(publishesHostPorts(configurationFor(name, NEWEST))).toBe(false)
  })

  test('host ports are published by another plugin than ours that takes them, and by no other', () => {
    const list = (...plugins: readonly unknown[]) => publishesHostPorts({ plugins })
    expect(list({ type: 'weft' }, { type: 'their-own', capabilities: { portMappings: true } })).toBe(true)
    expect(list({ type: 'weft', capabilities: { portMappings: true } })).toBe(false)
    expect(list({ type: 'weft' }, { type: 'portmap' })).toBe(false)
    expect([list(null, 7, 'portmap'), publishesHostPorts({ plugins: {} })]).toEqual([false, false])
  })
})

describe('at the next start', () => {
  const forms = [undefined, { versions: ['0.4.0'] } as const, { versions: ['1.0.0'] } as const, DEBIAN, NEWEST]
  const changes = forms.flatMap((before) => forms.map((after) => [before, after] as const))

  test.each(changes)('the file follows from %j to %j', (before, after) => {
    giveCniConfig(place, before)
    const { ino } = statSync(join(place.dir, place.name))
    expect(giveCniConfig(place, after)).toEqual(configurationFor(place.name, after))
    expect(JSON.parse(text())).toEqual(configurationFor(place.name, after))
    // What is right is not written again.
    expect(statSync(join(place.dir, place.name)).ino === ino).toBe(before === after)
    expect(files()).toEqual(['10-weft.conflist'])
  })

  test('after the machine started anew, too', () => {
    giveCniConfig(place)
    reboot()
    holdCniConfig(place)
    giveCniConfig(place, DEBIAN)
    expect(JSON.parse(text())).toEqual(configurationFor(place.name, DEBIAN))
    expect(files()).toEqual(['10-weft.conflist'])
  })

  test.each([
    [
      'another snat',
      { ...configurationFor('10-weft.conflist', NEWEST), plugins: [{ type: 'weft' }, { ...PUBLISHING, snat: false }] },
    ],
    ['a third plugin', { ...configurationFor('10-weft.conflist'), plugins: [{ type: 'weft' }, { type: 'tuning' }] }],
    ['an MTU', { ...configurationFor('10-weft.conflist'), plugins: [{ type: 'weft', mtu: 1400 }] }],
    ['another name', { ...configurationFor('10-weft.conflist'), name: 'mine' }],
  ])('what people edited stays: %s', (_, edited) => {
    giveCniConfig(place)
    writeFileSync(join(place.dir, place.name), JSON.stringify(edited))
    expect(giveCniConfig(place, DEBIAN)).toEqual(edited)
    expect(JSON.parse(text())).toEqual(edited)
  })

  test('a link stays, and so does what it leads to', () => {
    mkdirSync(place.dir)
    const elsewhere = join(root, 'site.conflist')
    writeFileSync(elsewhere, JSON.stringify(configurationFor(place.name)))
    symlinkSync(elsewhere, join(place.dir, place.name))
    giveCniConfig(place, DEBIAN)
    expect(JSON.parse(readFileSync(elsewhere, 'utf8'))).toEqual(configurationFor(place.name))
    expect(JSON.parse(text())).toEqual(configurationFor(place.name))
  })
})

test('a pipe in its place is in the way, and not waited for', () => {
  mkdirSync(place.dir)
  const pipe = join(place.dir, place.name)
  expect(Bun.spawnSync(['mkfifo', pipe]).exitCode).toBe(0)
  // In a process of its own: what waits for a pipe cannot be stopped from within.
  const call = `require(${JSON.stringify(join(import.meta.dir, 'cni-config.ts'))}).giveCniConfig(${JSON.stringify(place)})`
  const { stderr, exitedDueToTimeout } = Bun.spawnSync([process.execPath, '-e', call], { timeout: 10_000 })
  expect(exitedDueToTimeout ?? false).toBe(false)
  expect(stderr.toString()).toContain('is in the way')
}, 20_000)

test('neither is what is far too large for a configuration read', () => {
  mkdirSync(place.dir)
  writeFileSync(join(place.dir, place.name), `${JSON.stringify(configurationFor(place.name))}${' '.repeat(1 << 20)}`)
  expect(() => giveCniConfig(place)).toThrow('is in the way')
})

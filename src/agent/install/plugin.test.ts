import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPlugin, PLUGIN_NAMES, pluginBeside } from './plugin.ts'

const OURS = 'ELF … CNI plugin of Weft; CNI protocol versions supported: 1.1.0'
let root: string
let plugin: string
let folder: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wefttest-plugin-'))
  plugin = join(root, 'plugin')
  folder = join(root, 'opt', 'cni', 'bin')
  writeFileSync(plugin, OURS, { mode: 0o600 })
})
afterEach(() => rmSync(root, { recursive: true }))

test('it is there under each name, executable, and written once', () => {
  expect([...installPlugin(plugin, folder, 'weft', ['ovs'])]).toEqual([
    ['weft', 'written'],
    ['k8s-ovs', 'written'],
    ['ovs', 'written'],
  ])
  expect(readFileSync(join(folder, 'k8s-ovs'), 'utf8')).toBe(OURS)
  expect(statSync(join(folder, 'weft')).mode & 0o777).toBe(0o755)
  expect([...installPlugin(plugin, folder, 'weft', ['ovs']).values()]).toEqual(Array(3).fill('already there'))
  expect(existsSync(join(folder, 'spiderpool'))).toBe(false)
  expect(new Set(installPlugin(plugin, folder, 'weft').keys())).toEqual(new Set(PLUGIN_NAMES))
})

test('another version of it is replaced, and so is one that cannot be run', () => {
  installPlugin(plugin, folder, 'weft')
  writeFileSync(join(folder, 'weft'), `${OURS} older`)
  chmodSync(join(folder, 'k8s-ovs'), 0o644)
  expect([...installPlugin(plugin, folder, 'weft', []).values()]).toEqual(['written', 'written'])
  expect(readFileSync(join(folder, 'weft'), 'utf8')).toBe(OURS)
})

test('others’ programs and links stay, and are an error where the configuration means them', () => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'k8s-ovs'), 'the other project')
  expect([...installPlugin(plugin, folder, 'weft', [])]).toEqual([
    ['weft', 'written'],
    ['k8s-ovs', 'foreign'],
  ])
  expect(() => installPlugin(plugin, folder, 'k8s-ovs')).toThrow('another program')
  rmSync(join(folder, 'weft'))
  symlinkSync(plugin, join(folder, 'weft'))
  expect(() => installPlugin(plugin, folder, 'weft')).toThrow('another program')
  expect(readFileSync(join(folder, 'k8s-ovs'), 'utf8')).toBe('the other project')
})

test('what is no plugin of ours is not installed', () => {
  expect(() => installPlugin(join(root, 'none'), folder, 'weft')).toThrow('cannot be read')
  writeFileSync(plugin, 'something else')
  expect(() => installPlugin(plugin, folder, 'weft')).toThrow('is no CNI plugin of Weft')
  expect(existsSync(join(folder, 'weft'))).toBe(false)
})

test('it is looked for beside the executable, as installed, then as built', () => {
  expect(pluginBeside(root)).toBe(join(root, 'cni', 'weft'))
  writeFileSync(join(root, 'weft-cni'), OURS)
  expect(pluginBeside(root)).toBe(join(root, 'weft-cni'))
  mkdirSync(join(root, 'cni'))
  writeFileSync(join(root, 'cni', 'weft'), OURS)
  expect(pluginBeside(root)).toBe(join(root, 'cni', 'weft'))
})

test('the plugin that is built says what it is recognised by', () => {
  const built = join(import.meta.dir, '../../../dist/weft-cni')
  expect(() => installPlugin(built, folder, 'weft')).not.toThrow()
})

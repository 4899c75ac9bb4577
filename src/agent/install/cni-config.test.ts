import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CniConfigPlace, configurationFor, giveCniConfig, holdCniConfig } from './cni-config.ts'

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

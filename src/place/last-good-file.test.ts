import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Seen } from '../kube/known.ts'
import { lastGoodFile } from './last-good-file.ts'

let folder = ''
let path = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-good-'))
  path = join(folder, 'state/last-good.json')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const VALUE = { name: 'rack', address: '192.0.2.9' as never, asNumber: 65_001 }
const RACK: Seen<'BgpPeering'> = { uid: 'u-1', stored: { name: 'rack', revision: 7, value: VALUE } }
const WRITTEN = { uid: 'u-1', name: 'rack', revision: 7, value: VALUE }

test('what was written is read by the next one, and nobody else may', () => {
  lastGoodFile(path).write('BgpPeering', new Map([['rack', RACK]]))
  expect(lastGoodFile(path).read('BgpPeering')).toEqual([['rack', RACK]])
  expect(lastGoodFile(path).read('BgpFilter')).toEqual([])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(folder, 'state'))).toEqual(['last-good.json'])
})

test('of a kind that was not asked for what was written stays', () => {
  lastGoodFile(path).write('BgpPeering', new Map([['rack', RACK]]))
  lastGoodFile(path).write('BgpFilter', new Map())
  expect(lastGoodFile(path).read('BgpPeering')).toHaveLength(1)
})

test.each([
  ['no JSON', '{'],
  ['no object', '[1, null]'],
  ['nothing', ''],
  ['a value that is none', JSON.stringify({ BgpPeering: { rack: { ...WRITTEN, value: { name: 'rack' } } } })],
  ['another name', JSON.stringify({ BgpPeering: { rack: { ...WRITTEN, name: 'other' } } })],
  ['nobody knows of which', JSON.stringify({ BgpPeering: { rack: { ...WRITTEN, uid: undefined } } })],
  ['no value', JSON.stringify({ BgpPeering: { rack: 7, other: null } })],
])('%s counts for nothing', (_, text) => {
  path = join(folder, 'last-good.json')
  writeFileSync(path, text)
  const file = lastGoodFile(path)
  expect(file.read('BgpPeering')).toEqual([])
  file.write('BgpPeering', new Map([['rack', RACK]]))
  expect(lastGoodFile(path).read('BgpPeering')).toEqual([['rack', RACK]])
})

test('a place where nothing can be written is no failure', () => {
  writeFileSync(join(folder, 'state'), '')
  const file = lastGoodFile(path)
  expect(() => file.write('BgpPeering', new Map([['rack', RACK]]))).not.toThrow()
})

test('what a killed writer left is swept by the next process', () => {
  lastGoodFile(path).write('BgpPeering', new Map([['rack', RACK]]))
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
  writeFileSync(join(folder, 'state', `.last-good.json.weft-${namespace}-${2 ** 22 + 1}`), '{')
  expect(lastGoodFile(path).read('BgpPeering')).toHaveLength(1)
  expect(readdirSync(join(folder, 'state'))).toEqual(['last-good.json'])
})

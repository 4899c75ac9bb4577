import { afterEach, expect, test } from 'bun:test'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EMPTY_RESULT } from '../../cni/index.ts'
import type { NetworkRecord } from './record.ts'
import { Records } from './records.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'weft-records-'))
  folders.push(made)
  return made
}

const record: NetworkRecord = {
  containerId: 'c1',
  ifname: 'eth0',
  program: 'weft',
  network: 'weft',
  netns: '/run/netns/p1',
  path: ['/opt/cni/bin'],
  pod: { namespace: 'shop', name: 'cart', uid: 'u1' },
  attached: [
    {
      ifname: 'eth0',
      ordinal: 0,
      definition: 'kube-system/ovs-conf',
      origin: { kind: 'definition', namespace: 'kube-system', name: 'ovs-conf' },
      network: 'ovs-conf',
      version: '0.3.1',
      args: 'IgnoreUnknown=1;K8S_POD_NAME=cart',
      plugins: [{ type: 'ovs', bridge: 'br1', vlan: 0 }, { type: 'coordinator' }],
      result: {
        ...EMPTY_RESULT,
        interfaces: [{ name: 'eth0', mac: '0a:58:ac:12:1e:83', mtu: 1500, sandbox: '/run/netns/p1' }],
        ips: [{ address: '172.18.30.131/16', gateway: '172.18.0.1', interface: 0 }],
        routes: [{ dst: '0.0.0.0/0', gw: '172.18.0.1', table: 101 }],
      },
    },
    { ifname: 'net1', ordinal: 1, origin: { kind: 'node' }, network: 'n', version: '1.0.0', args: '', plugins: [] },
  ],
}

test('a record is read again by another agent as it was written', () => {
  const stateDir = folder()
  new Records(stateDir).put(record)
  const again = new Records(stateDir)
  expect(again.values()).toEqual([record])
  expect(again.get({ containerId: 'c1', ifname: 'eth0', program: 'weft' })).toEqual(record)
  expect(again.get({ containerId: 'c1', ifname: 'eth0', program: 'ovs' })).toBeUndefined()
  again.remove(record)
  expect(again.isEmpty).toBe(true)
  expect(new Records(stateDir).isEmpty).toBe(true)
})

test('nobody else may read it', () => {
  const stateDir = folder()
  new Records(stateDir).put(record)
  const inner = join(stateDir, 'attachments')
  expect(statSync(inner).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(inner)) expect(statSync(join(inner, name)).mode & 0o777).toBe(0o600)
})

test('what was not finished is no record, and what cannot be read stays and is told', () => {
  const stateDir = folder()
  const inner = join(stateDir, 'attachments')
  mkdirSync(inner)
  writeFileSync(join(inner, '.a.json.weft-1-1'), '{"version":1')
  writeFileSync(join(inner, 'b.json'), '{"version":9}')
  writeFileSync(join(inner, 'c.json'), '{"version":1,"attached":[]}')
  writeFileSync(join(inner, 'd.json'), 'x')
  const records = new Records(stateDir)
  expect(records.isEmpty).toBe(true)
  expect(records.unreadable.map(({ file }) => file)).toEqual(
    ['b.json', 'c.json', 'd.json'].map((name) => join(inner, name)),
  )
  expect(readdirSync(inner).sort()).toEqual(['b.json', 'c.json', 'd.json'])
})

test('writing a record costs no look at those of other pods: what was not finished goes with the next start', () => {
  const stateDir = folder()
  const records = new Records(stateDir)
  records.put(record)
  const inner = join(stateDir, 'attachments')
  // Of no process that there can be.
  const draft = `.a.json.weft-${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]}-${2 ** 22 + 1}`
  writeFileSync(join(inner, draft), '')
  records.put(record)
  expect(readdirSync(inner)).toContain(draft)
  expect(new Records(stateDir).values()).toHaveLength(1)
  expect(readdirSync(inner)).not.toContain(draft)
})

test('what came of it is read again; half of it after a loss of power leaves what to undo', () => {
  const stateDir = folder()
  const [first] = record.attached
  const begun: NetworkRecord = { ...record, attached: record.attached.map(({ result: _, ...one }) => one) }
  const whole: NetworkRecord = { ...begun, attached: first === undefined ? [] : [first] }
  const records = new Records(stateDir)
  records.put(begun)
  records.complete(whole)
  expect(records.get(record)).toEqual(whole)
  expect(new Records(stateDir).values()).toEqual([whole])
  const inner = join(stateDir, 'attachments')
  const file = join(inner, readdirSync(inner)[0] ?? '')
  const text = readFileSync(file, 'utf8')
  for (let length = text.indexOf('\n'); length < text.length - 1; length += 1) {
    writeFileSync(file, text.slice(0, length))
    expect(new Records(stateDir).values()).toEqual([begun])
  }
  writeFileSync(file, text.slice(0, -1))
  expect(new Records(stateDir).values()).toEqual([whole])
})

test('without a folder there is nothing, and none is made for reading', () => {
  const stateDir = join(folder(), 'none')
  expect(new Records(stateDir).isEmpty).toBe(true)
  expect(() => statSync(stateDir)).toThrow('ENOENT')
})

import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidr, ip } from '../network/model/address.ts'
import { forget, note, noteAlone, remember } from './memory.ts'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-flannel-memory-'))
const file = join(folder, 'subnet.env')
afterAll(() => rmSync(folder, { recursive: true }))

const NETWORK = cidr('10.1.0.0/16')
const OLD = cidr('10.9.0.0/16')
const NOTE = {
  env: { networks: [NETWORK], subnets: { ipv4: cidr('10.1.7.0/24') }, mtu: 1450, ipMasq: true },
  addresses: { publicIp: ip('192.0.2.1') },
  oldNetworks: [OLD],
} as const
const FLANNELS = 'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.2.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n'

describe('what a machine remembers', () => {
  test('in a subnet.env of somebody else is a subnet to take over, and no network where routes of ours would be', () => {
    writeFileSync(file, FLANNELS)
    expect(remember(file)).toEqual({ memory: { subnets: { ipv4: cidr('10.5.2.0/24') } }, networks: [] })
    expect(forget(file)).toEqual({ found: false, left: [`${file} stays: somebody else wrote it`] })
    expect(readFileSync(file, 'utf8')).toBe(FLANNELS)
  })

  test('of networks it had before it remembers until nothing leads there any more', () => {
    note(file, NOTE)
    expect(remember(file)).toEqual({
      memory: { subnets: NOTE.env.subnets, publicIp: ip('192.0.2.1') },
      networks: [NETWORK, OLD],
    })
    noteAlone(file, { ...NOTE, oldNetworks: [] })
    expect(remember(file).networks).toEqual([NETWORK])
  })

  test('are its own networks also when another has written its subnet.env since', () => {
    note(file, { ...NOTE, oldNetworks: [] })
    writeFileSync(file, FLANNELS)
    expect(remember(file)).toEqual({
      memory: { subnets: { ipv4: cidr('10.5.2.0/24') }, publicIp: ip('192.0.2.1') },
      networks: [NETWORK],
    })
    expect(forget(file)).toEqual({ found: true, left: [`${file} stays: somebody else wrote it`] })
    expect(readFileSync(file, 'utf8')).toBe(FLANNELS)
  })

  test('in a note of an earlier build, which names no networks, is what that build wrote into subnet.env', () => {
    note(file, { ...NOTE, oldNetworks: [] })
    writeFileSync(
      join(folder, 'weft-lease.json'),
      JSON.stringify({ publicIp: '192.0.2.1', env: readFileSync(file, 'utf8') }),
    )
    expect(remember(file).networks).toEqual([NETWORK])
    writeFileSync(file, FLANNELS)
    expect(remember(file).networks).toEqual([NETWORK])
  })

  test('is taken away where it is its own, and a note that makes no sense names no networks', () => {
    note(file, NOTE)
    expect(forget(file)).toEqual({ found: true, left: [] })
    expect(existsSync(file)).toBe(false)
    for (const text of ['', '[]', '{"networks": 7}', '{"env": 7}', '{"networks": ["10.1.0.1/16", 5, null]}']) {
      writeFileSync(join(folder, 'weft-lease.json'), text)
      expect(remember(file)).toEqual({ memory: undefined, networks: [] })
    }
  })
})

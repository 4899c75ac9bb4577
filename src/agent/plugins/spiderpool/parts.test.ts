import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../cni/index.ts'
import { Contention } from './contention.ts'
import { spiderpoolNetconf } from './netconf.ts'
import { Recent } from './recent.ts'

describe('the network’s configuration', () => {
  test('Spiderpool’s keys; those of its log and its socket have no effect', () => {
    const ipam = {
      type: 'spiderpool',
      log_level: 'debug',
      log_file_path: '/etc/shadow',
      log_file_max_size: 100,
      log_file_max_age: 30,
      log_file_max_count: 7,
      ipam_unix_socket_path: '/var/run/x.sock',
      default_ipv4_ippool: ['a', 'b*'],
      default_ipv6_ippool: null,
      clean_gateway: true,
      match_master_subnet: false,
    }
    expect(spiderpoolNetconf({ type: 'ovs', ipam })).toEqual({
      defaults: { 4: ['a', 'b*'], 6: [] },
      hasCleanGateway: true,
    })
    expect(spiderpoolNetconf({ type: 'ovs' })).toEqual({ defaults: { 4: [], 6: [] }, hasCleanGateway: false })
  })

  test.each<[JsonObject, string]>([
    [{ ipam: [] }, 'invalid network configuration: ipam: must be an object'],
    [{ ipam: { default_ipv4_ippool: 'a' } }, 'invalid network configuration: ipam.default_ipv4_ippool: must be a list'],
    [
      { ipam: { default_ipv6_ippool: ['a', 'b['] } },
      'invalid network configuration: ipam.default_ipv6_ippool[1]: is a malformed pattern',
    ],
    [{ ipam: { clean_gateway: 'yes' } }, 'invalid network configuration: ipam.clean_gateway: must be true or false'],
    [
      { ipam: { match_master_subnet: true } },
      'unsupported field in the network configuration: ipam.match_master_subnet = true',
    ],
  ])('refused: %p', (config, message) => expect(() => spiderpoolNetconf(config)).toThrow(message))
})

test('who meets others looks further away each time, and comes back', () => {
  let now = 0
  const contention = new Contention(() => now)
  const spreads = Array.from({ length: 9 }, () => {
    const spread = contention.spreadOf('p')
    contention.met('p')
    return spread
  })
  expect(spreads).toEqual([1, 1, 4, 16, 64, 256, 1024, 4096, 4096])
  expect(contention.spreadOf('q')).toBe(1)
  now = 250
  expect(contention.spreadOf('p')).toBe(1024)
  now = 2_000
  expect(contention.spreadOf('p')).toBe(1)
})

test('of what was said, the last is remembered', () => {
  const recent = new Recent<number>(2)
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['c', 4],
  ] as const)
    recent.set(key, value)
  expect(['a', 'b', 'c'].map((key) => recent.get(key))).toEqual([3, undefined as unknown as number, 4])
  recent.delete('a')
  expect(recent.get('a')).toBeUndefined()
})

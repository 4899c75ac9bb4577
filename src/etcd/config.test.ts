import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdConfig, parseEndpoints } from './config.ts'

describe('endpoints', () => {
  test.each([
    ['http://127.0.0.1:4001,http://127.0.0.1:2379', ['http://127.0.0.1:4001', 'http://127.0.0.1:2379']],
    [' https://etcd.example:2379/ , ', ['https://etcd.example:2379']],
    ['192.0.2.1:2379,http://192.0.2.1:2379', ['http://192.0.2.1:2379']],
    ['http://[2001:db8::1]:2379', ['http://[2001:db8::1]:2379']],
  ])('%p', (text, expected) => expect(parseEndpoints(text)).toEqual(expected))

  test.each([
    [''],
    [' , '],
    ['ftp://192.0.2.1'],
    ['http://'],
    ['http://root:hunter2@192.0.2.1:2379'],
    ['http://192.0.2.1:2379/v2'],
    ['http://192.0.2.1:2379?x=1'],
  ])('%p is refused', (text) => {
    const error = thrownBy(() => parseEndpoints(text))
    expect(error).toEqual(expect.objectContaining({ code: 'ETCD_CONFIG', remedy: expect.stringMatching(/./) }))
    expect(String(error)).not.toContain('hunter2')
  })
})

test('more members than anybody has are refused', () => {
  const many = Array.from({ length: 65 }, (_, i) => `http://192.0.2.1:${i + 1}`).join(',')
  expect(thrownBy(() => parseEndpoints(many))).toMatchObject({ code: 'ETCD_CONFIG' })
})

describe('settings', () => {
  const endpoints = 'http://127.0.0.1:2379'

  test.each([
    ['a certificate without its key', { certFile: '/nowhere' }],
    ['a password without a user', { password: 'hunter2' }],
    ['a user with a colon', { username: 'a:b', password: 'hunter2' }],
    ['a file that is not there', { caFile: '/nowhere' }],
  ])('%s: refused', (_, settings) => {
    const error = thrownBy(() => etcdConfig({ endpoints, ...settings }))
    expect(error).toMatchObject({ code: 'ETCD_CONFIG' })
    expect(String(error)).not.toContain('hunter2')
  })

  test('a file that is no PEM is refused, and nothing of it told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-etcd-'))
    const file = join(folder, 'key')
    writeFileSync(file, 'hunter2')
    const error = thrownBy(() => etcdConfig({ endpoints, caFile: file }))
    rmSync(folder, { recursive: true })
    expect(error).toMatchObject({ code: 'ETCD_CONFIG', message: `the authority's certificate ${file} is not PEM` })
  })

  test('printing them prints no secret', () => {
    const config = etcdConfig({ endpoints, username: 'bob', password: 'hunter2' })
    expect(config.credentials()).toEqual({ username: 'bob', password: 'hunter2' })
    expect(Bun.inspect(config) + JSON.stringify(config)).not.toContain('hunter2')
  })
})

function thrownBy(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}

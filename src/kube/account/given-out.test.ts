import { describe, expect, test } from 'bun:test'
import type { ExecPlugin } from '../config.ts'
import { KubeError } from '../errors.ts'
import { HttpTransport } from '../http.ts'
import { json, serveRaw } from '../testing/raw-server.ts'
import { GivenOut } from './given-out.ts'

const V1 = 'client.authentication.k8s.io/v1'
const PLUGIN: ExecPlugin = { apiVersion: V1, command: 'x', args: [], env: {}, interactiveMode: 'Never' }
/** Far enough: where no other clock is given, it is the machine's. */
const START = Date.parse('2126-11-21T08:00:00Z')
const NEVER = new AbortController().signal

/** A plugin whose nth run gives the token `n`, good for a minute. */
function setUp() {
  const clock = { now: 0, runs: 0, broken: false, wait: Promise.resolve() }
  const run = async () => {
    clock.runs += 1
    const token = String(clock.runs)
    await clock.wait
    if (clock.broken) throw new KubeError('KUBE_CREDENTIALS', 'it is broken', 'mend it')
    const expirationTimestamp = new Date(START + clock.now + 60_000).toISOString()
    return JSON.stringify({ apiVersion: V1, kind: 'ExecCredential', status: { token, expirationTimestamp } })
  }
  const options = { now: () => clock.now, wallClock: () => START + clock.now, run }
  const given = new GivenOut(() => PLUGIN, options)
  const token = async () => (await given.current(NEVER)).token
  const refused = async (used: string) => {
    const tls = { ca: undefined, cert: undefined, key: undefined }
    return (await given.afterRefusal({ token: used, tls }, NEVER)).token
  }
  return { clock, given, token, refused, run }
}

describe('credentials that are given out', () => {
  test('are asked for once, for all who need them, until they expire', async () => {
    const { clock, token } = setUp()
    expect(await Promise.all([token(), token(), token()])).toEqual(['1', '1', '1'])
    clock.now += 59_999
    expect(await token()).toBe('1')
    clock.now += 1
    expect(await token()).toBe('2')
  })

  test('are dropped when they are refused, once for all whom they served', async () => {
    const { clock, token, refused } = setUp()
    expect(await token()).toBe('1')
    clock.now += 5_000
    expect(await Promise.all([refused('1'), refused('1')])).toEqual(['2', '2'])
    expect(await refused('1')).toBe('2')
    // A server that refuses everything does not keep the program running.
    expect(await refused('2')).toBe('2')
    expect(clock.runs).toBe(2)
  })

  test('that cannot be had are not asked for all the time', async () => {
    const { clock, token } = setUp()
    clock.broken = true
    await expect(token()).rejects.toThrow('it is broken')
    clock.broken = false
    clock.now += 4_999
    await expect(token()).rejects.toThrow('it is broken')
    clock.now += 1
    expect(await token()).toBe('2')
  })

  test('are waited for as long as the caller wants, and come to the others', async () => {
    const { clock, given, token } = setUp()
    const { promise, resolve } = Promise.withResolvers<void>()
    clock.wait = promise
    const ending = new AbortController()
    const impatient = given.current(ending.signal)
    const patient = token()
    ending.abort()
    await expect(impatient).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' })
    resolve()
    expect(await patient).toBe('1')
    expect(clock.runs).toBe(1)
  })
})

test('a call is repeated with what the plugin gives after a refusal', async () => {
  const seen: (string | undefined)[] = []
  const server = serveRaw(({ headers }, connection) => {
    const sent = headers.get('authorization')
    seen.push(sent)
    connection.write(sent === 'Bearer 2' ? json(200, { fine: true }) : json(401, {}))
    connection.end()
  })
  const { clock, run } = setUp()
  const http = new HttpTransport({ server: server.url, exec: () => PLUGIN }, { now: () => clock.now, runPlugin: run })
  await expect(http.json({ method: 'GET', path: '/x' })).rejects.toMatchObject({ code: 'KUBE_UNAUTHORIZED' })
  clock.now += 5_000
  expect(await http.json({ method: 'GET', path: '/x' })).toEqual({ fine: true })
  expect(seen).toEqual(['Bearer 1', 'Bearer 1', 'Bearer 2'])
  server.stop()
})

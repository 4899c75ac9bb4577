/**
 * Elections between processes: one that is stopped and goes on, one that leaves, one that is killed. On the playground's
 * API server, and on a real one.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidr } from '../../src/network/model/address.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually, type Running, start } from './process.ts'

const PATIENCE = 120_000
const folder = mkdtempSync(join(tmpdir(), 'weft-election-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A server to hold elections on. */
interface Place {
  readonly cluster: object
  readonly token: string
  stop(): Promise<void>
}

describe("on the playground's API server", () => suite('playground', playground))

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  describe('on a real kube-apiserver', () => suite('real', () => real(ASSETS ?? '')))
}

function suite(name: string, open: () => Promise<Place>): void {
  test(
    'never do two act at once, whoever is stopped, goes on, leaves or is killed',
    async () => {
      const place = await open()
      const kubeconfig = writeKubeconfig(name, place)
      const log = join(folder, `${name}.log`)
      writeFileSync(log, '')
      const contend = (who: string): Running => {
        const program = [process.execPath, join(import.meta.dir, 'contender.ts'), kubeconfig, who, log]
        return start(program, join(folder, `${name}-${who}.out`))
      }
      const people = new Map([
        ['a', contend('a')],
        ['b', contend('b')],
      ])
      const leads = (who: string, after: number) => until(log, after, (line) => line.who === who && line.did === 'acts')
      try {
        const [first = ''] = [await anyLeads(log, 0)]
        const second = first === 'a' ? 'b' : 'a'
        const [stopped, other] = [people.get(first), people.get(second)]
        if (stopped === undefined || other === undefined) throw new Error('a stranger leads')

        process.kill(stopped.pid, 'SIGSTOP')
        await leads(second, 0)
        process.kill(stopped.pid, 'SIGCONT')
        await until(log, 0, (line) => line.who === first && line.did === 'stops')

        const left = lines(log).length
        await other.stop('SIGTERM')
        await until(log, left, (line) => line.who === second && line.did === 'left')
        await leads(first, left)

        const killed = lines(log).length
        people.set('c', contend('c'))
        await stopped.stop('SIGKILL')
        await leads('c', killed)
        expectNoTwo(lines(log))
      } finally {
        for (const one of people.values()) await one.stop('SIGKILL')
        await place.stop()
      }
    },
    PATIENCE,
  )
}

interface Line {
  readonly who: string
  readonly did: string
}

/** Once somebody acted, nobody who acted before acts again without having stopped. */
function expectNoTwo(all: readonly Line[]): void {
  const acts = all.filter(({ did }) => did === 'acts')
  const turns = acts.filter(({ who }, i) => acts[i - 1]?.who !== who).map(({ who }) => who)
  // Leader, the one after the stop, the first again, the one after the kill.
  expect(turns).toHaveLength(4)
  expect(turns[2]).toBe(turns[0] as string)
  expect(turns[3]).toBe('c')
}

function lines(log: string): readonly Line[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [who = '', did = ''] = line.split(' ')
      return { who, did }
    })
}

function until(log: string, after: number, isOne: (line: Line) => boolean): Promise<Line> {
  return eventually(async () => {
    const found = lines(log).slice(after).find(isOne)
    if (found === undefined) throw new Error(`it did not happen:\n${readFileSync(log, 'utf8').slice(-500)}`)
    return found
  }, 30_000)
}

async function anyLeads(log: string, after: number): Promise<string> {
  return (await until(log, after, ({ did }) => did === 'acts')).who
}

function writeKubeconfig(name: string, { cluster, token }: Place): string {
  const path = join(folder, `${name}.kubeconfig`)
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token } }],
  }
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  return path
}

async function playground(): Promise<Place> {
  const serviceNetworks = [cidr('172.30.0.0/16'), cidr('fd02::/112')]
  const server = await serveApi({ dir: join(folder, 'apiserver'), formats, tls: false, serviceNetworks })
  return { cluster: { server: server.url }, token: server.tokenOf('admin'), stop: () => server.stop() }
}

async function real(assets: string): Promise<Place> {
  const plane = await ControlPlane.start(assets)
  const cluster = { server: plane.server, 'certificate-authority': plane.certificates.ca }
  return { cluster, token: plane.token, stop: () => plane.stop() }
}

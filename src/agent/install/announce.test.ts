import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { AgentError } from '../errors.ts'
import { announcement, type RuntimePlaces } from './announce.ts'

let root: string
let places: RuntimePlaces & { readonly cniConfigDir: string; readonly cniBinDir: string }
let failures: string[]
let served: (AgentError | undefined)[]
let said: string[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wefttest-announce-'))
  places = { runDir: join(root, 'run'), cniConfigDir: join(root, 'net.d'), cniBinDir: join(root, 'bin') }
  for (const folder of [places.runDir, places.cniBinDir]) mkdirSync(folder)
  writeFileSync(join(places.cniBinDir, 'weft'), '')
  failures = []
  served = []
  said = []
})
afterEach(() => rmSync(root, { recursive: true }))

/** What an agent calls whenever pods can be attached. */
function started(more: Partial<RuntimePlaces> = {}): () => Promise<void> {
  const quiet = () => undefined
  return announcement(
    { ...places, ...more },
    {
      problems: { failed: (_, error) => void failures.push(String(error)), solved: quiet },
      hostPorts: { serve: (unserved) => void served.push(unserved) },
      log: pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line).msg) }),
    },
  )
}
const start = (more: Partial<RuntimePlaces> = {}) => started(more)()
const plugins = (name = '10-weft.conflist') =>
  JSON.parse(readFileSync(join(places.cniConfigDir, name), 'utf8')).plugins?.map(({ type }: { type: string }) => type)

test('portmap is called as long as it is there when the agent starts', async () => {
  await start()
  expect([plugins(), served.at(-1)?.message]).toEqual([['weft'], `${places.cniBinDir}/portmap is missing`])
  symlinkSync('/usr/lib/cni/portmap', join(places.cniBinDir, 'portmap'))
  await start()
  expect([plugins(), served.at(-1)]).toEqual([['weft', 'portmap'], undefined])
  rmSync(join(places.cniBinDir, 'portmap'))
  await start()
  expect([plugins(), served.at(-1)?.message]).toEqual([['weft'], `${places.cniBinDir}/portmap is missing`])
  expect([served.length, failures]).toEqual([3, []])
})

test('an edited list without it is left, and told of', async () => {
  symlinkSync('/usr/lib/cni/portmap', join(places.cniBinDir, 'portmap'))
  mkdirSync(places.cniConfigDir)
  const file = join(places.cniConfigDir, '10-weft.conflist')
  writeFileSync(file, '{"cniVersion": "1.0.0", "name": "mine", "plugins": [{"type": "weft"}]}')
  await start()
  expect([plugins(), served.at(-1)?.message]).toEqual([
    ['weft'],
    `${file} was edited and calls no plugin that publishes ports`,
  ])
})

test('the form of a single plugin calls no other, whatever is there', async () => {
  symlinkSync('/usr/lib/cni/portmap', join(places.cniBinDir, 'portmap'))
  await start({ cniConfigName: '80-k8s-ovs.conf' })
  expect([plugins('80-k8s-ovs.conf'), served.at(-1)?.remedy]).toEqual([
    undefined,
    'choose a list: 10-weft.conflist (agent.cniConfigName, --cni-config-name)',
  ])
})

test('a file that is in the way says nothing of host ports', async () => {
  mkdirSync(places.cniConfigDir)
  writeFileSync(join(places.cniConfigDir, '10-weft.conflist'), '')
  await start()
  expect([failures.length, served]).toEqual([1, []])
})

test('an agent follows portmap while it runs, and asks one that answered once', async () => {
  const look = started()
  const portmap = join(places.cniBinDir, 'portmap')
  const asked = join(root, 'asked')
  const versions = (...some: readonly string[]) => {
    const answer = JSON.stringify({ supportedVersions: some })
    writeFileSync(portmap, `#!/bin/sh\necho asked >> ${asked}\necho '${answer}'\n`, { mode: 0o755 })
  }
  const offered = () => JSON.parse(readFileSync(join(places.cniConfigDir, '10-weft.conflist'), 'utf8')).cniVersions
  const times = () => readFileSync(asked, 'utf8').split('asked').length - 1
  for (const _ of ['once', 'again']) await look()
  expect([plugins(), said]).toEqual([['weft'], [`hostPort is not published: ${portmap} is missing`]])
  versions('1.0.0')
  for (const _ of ['once', 'again']) await look()
  expect([plugins(), offered(), served.at(-1), times()]).toEqual([['weft', 'portmap'], ['1.0.0'], undefined, 1])
  versions('0.4.0', '1.0.0')
  for (const _ of ['once', 'again']) await look()
  expect([plugins(), offered(), times()]).toEqual([['weft', 'portmap'], ['0.4.0', '1.0.0'], 2])
  rmSync(portmap)
  await look()
  expect([plugins(), served.at(-1)?.code, said.length]).toEqual([['weft'], 'AGENT_HOST_PORTS', 2])
})

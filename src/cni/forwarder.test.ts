/** The forwarder as a process of its own, where no agent runs. With one: test/forwarder.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AGENTLESS } from './forwarder-texts.ts'
import { CNI_ERRORS, CNI_VERBS, CNI_VERSIONS, MAX_INPUT } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-forwarder-'))
const plugin = join(folder, 'weft-cni')
const absent = join(folder, 'no.sock')

beforeAll(() => {
  const script = Bun.fileURLToPath(new URL('../../native/build-forwarder.sh', import.meta.url))
  const built = Bun.spawnSync([script, plugin])
  if (!built.success) throw new Error(built.stderr.toString())
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  readonly status: number | null
  readonly output: string
  readonly log: string
}

function run(
  environment: Readonly<Record<string, string>>,
  input: string,
  command: readonly string[] = [plugin],
): Outcome {
  const env = { WEFT_CNI_SOCKET: absent, ...environment }
  const done = Bun.spawnSync([...command], { env, stdin: Buffer.from(input) })
  return { status: done.exitCode, output: done.stdout.toString(), log: done.stderr.toString() }
}

const noAgent = (cniVersion: string): object => ({
  cniVersion,
  code: 11,
  msg: CNI_ERRORS['agent-not-running'].message,
  details: `${CNI_ERRORS['agent-not-running'].remedy} (agent-not-running)`,
})

describe('VERSION', () => {
  test.each(CNI_VERSIONS)('is answered in %s', (cniVersion) => {
    const { status, output } = run({ CNI_COMMAND: 'VERSION' }, JSON.stringify({ cniVersion }))
    expect(JSON.parse(output)).toEqual({ cniVersion, supportedVersions: [...CNI_VERSIONS] })
    expect(status).toBe(0)
  })

  test.each(['', 'garbage', '{"cniVersion":"7.0.0"}', 'x'.repeat(MAX_INPUT + 9)])(
    'is answered in the newest',
    (input) => {
      const { status, output } = run({ CNI_COMMAND: 'VERSION' }, input)
      expect(JSON.parse(output)).toEqual({ cniVersion: '1.1.0', supportedVersions: [...CNI_VERSIONS] })
      expect(status).toBe(0)
    },
  )
})

describe('without an agent', () => {
  test.each(CNI_VERBS.filter((verb) => verb !== 'VERSION'))('%s asks to try again', (CNI_COMMAND) => {
    const { status, output } = run({ CNI_COMMAND }, '{"cniVersion":"1.0.0"}')
    const { code } = JSON.parse(output)
    expect({ status, code }).toEqual({ status: 1, code: CNI_COMMAND === 'STATUS' ? 50 : 11 })
  })

  test.each([
    ['{"cniVersion":"0.3.1"}', '0.3.1'],
    [' {"prevResult":{"cniVersion":"1.0.0"},\n "name":"a", "cniVersion" : "0.3.1" }', '0.3.1'],
    ['{"a":"\\"cniVersion\\":\\"1.0.0\\"","cniVersion":"0.2.0"}', '0.2.0'],
    ['{"a":"\\\\","cniVersion":"0.2.0"}', '0.2.0'],
    ['{"a":"\\"{","cniVersion":"0.2.0"}', '0.2.0'],
    ['{"cniVersion":"1.0.0","cniVersion":"0.2.0"}', '0.2.0'],
    ['{"name":"cniVersion","x":"1.0.0"}', '0.4.0'],
    ['{"prevResult":{"cniVersion":"1.0.0"}}', '0.4.0'],
    ['{"cniVersion":"1.0.0\\"}', '0.4.0'],
    ['{"cniVersion":"1.0.', '0.4.0'],
    ['{"cniVersion":', '0.4.0'],
    ['{"cniVersion', '0.4.0'],
    ['{"cniVersion\\', '0.4.0'],
    ['{"cniVersion":["1.0.0"]}', '0.4.0'],
    ['}}}{"cniVersion":"1.0.0"}', '0.4.0'],
    ['', '0.4.0'],
  ])('%s is answered in the version it names', (input, version) => {
    expect(JSON.parse(run({ CNI_COMMAND: 'ADD' }, input).output)).toEqual(noAgent(version))
  })

  test('a file in the place of the socket, and a path too long for one, are no agent', () => {
    for (const WEFT_CNI_SOCKET of [plugin, `/${'x'.repeat(200)}`]) {
      expect(JSON.parse(run({ CNI_COMMAND: 'ADD', WEFT_CNI_SOCKET }, '').output)).toMatchObject({ code: 11 })
    }
  })

  test('an input over 1 MiB is refused', () => {
    const { status, output } = run({ CNI_COMMAND: 'ADD' }, 'x'.repeat(MAX_INPUT + 1))
    expect({ status, code: JSON.parse(output).code }).toEqual({ status: 1, code: 5 })
  })

  test('without standard input the answer is still complete', () => {
    const { status, output } = run({ CNI_COMMAND: 'ADD' }, '', ['/bin/sh', '-c', 'exec "$0" <&-', plugin])
    expect({ status, answer: JSON.parse(output) }).toEqual({ status: 1, answer: noAgent('0.4.0') })
  })

  test('called by hand it says what it is', () => {
    const { status, output, log } = run({}, '')
    expect({ status, output }).toEqual({ status: 0, output: '' })
    expect(log).toContain(CNI_VERSIONS.join(', '))
  })
})

describe('a program in place of the agent', () => {
  const SCRIPT = '#!/bin/sh\necho "$0 $CNI_COMMAND $(/bin/cat)"\nexit 7\n'

  /** The plugin under this name, and a program that it could become: in the same folder, in PATH, and where it is told. */
  function called(name: string, environment: Readonly<Record<string, string>> = {}, input = '{"a":1}'): Outcome {
    const place = mkdtempSync(join(folder, 'place-'))
    copyFileSync(plugin, join(place, name))
    const programs = ['weft', 'program'].filter((file) => file !== name)
    for (const file of programs) writeFileSync(join(place, file), SCRIPT, { mode: 0o755 })
    const told = { CNI_COMMAND: 'ADD', PATH: place, WEFT_PROGRAM: join(place, 'program'), ...environment }
    return run(told, input, [join(place, name)])
  }

  test.each(AGENTLESS)('%s needs none: it becomes that program, with what it read', (name) => {
    const input = `{"a":"${'x'.repeat(500_000)}"}`
    const { status, output } = called(name, {}, input)
    expect(status).toBe(7)
    expect(output).toEndWith(` ADD ${input}\n`)
  })

  test.each(['ovs', 'weft', 'ipam-neutron-2', 'spiderpool'])('%s is served by the agent alone', (name) => {
    const { status, output } = called(name)
    expect({ status, answer: JSON.parse(output) }).toEqual({ status: 1, answer: noAgent('0.4.0') })
  })

  test.each([
    ['not looked for in PATH or beside the plugin', ''],
    ['not taken from the folder that one is in', 'program'],
    ['not there', '/nowhere/weft'],
  ])('a program that is %s is none', (_, WEFT_PROGRAM) => {
    // Where Weft is installed its program would answer.
    if (existsSync('/usr/lib/weft/weft')) return
    const { status, output } = called('ipam-neutron', { WEFT_PROGRAM })
    expect({ status, answer: JSON.parse(output) }).toEqual({ status: 1, answer: noAgent('0.4.0') })
  })

  test('versions are told by the plugin itself', () => {
    const { status, output } = called('ipam-neutron', { CNI_COMMAND: 'VERSION' })
    expect({ status, versions: JSON.parse(output).supportedVersions }).toEqual({
      status: 0,
      versions: [...CNI_VERSIONS],
    })
  })
})

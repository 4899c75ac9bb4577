import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ExecPlugin } from '../config.ts'
import { KubeError } from '../errors.ts'
import { decodeAnswer } from './credential.ts'
import { runPlugin } from './plugin.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-plugin-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SECRET = 's3cr3t-s3cr3t-s3cr3t'
const V1 = 'client.authentication.k8s.io/v1'

let scripts = 0
function plugin(script: string, rest: Partial<ExecPlugin> = {}): ExecPlugin {
  scripts += 1
  const command = join(folder, `plugin-${scripts}`)
  writeFileSync(command, `#!/bin/sh\n${script}\n`)
  chmodSync(command, 0o755)
  return { apiVersion: V1, command, args: [], env: {}, interactiveMode: 'IfAvailable', ...rest }
}

const run = (one: ExecPlugin, timeout = 20_000) => runPlugin(one, { interactive: false, timeout })

describe('a plugin', () => {
  test('gets its arguments, its environment beside ours, and the question', async () => {
    const out = join(folder, 'out')
    const one = plugin(`echo "$1 $A $HOME" >${out}; echo "$KUBERNETES_EXEC_INFO"; echo ${SECRET} >&2`, {
      args: ['x y'],
      env: { A: 'b' },
      cluster: { server: 'https://a.test' },
    })
    expect(JSON.parse(await run(one))).toEqual({
      apiVersion: V1,
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://a.test' } },
    })
    expect(readFileSync(out, 'utf8')).toBe(`x y b ${process.env['HOME']}\n`)
  })

  test.each([
    ['fails', `echo ${SECRET}; echo ${SECRET} >&2; exit 3`, 'exit code 3'],
    ['hangs', `echo ${SECRET}; sleep 1000`, 'in time'],
    ['leaves somebody behind who holds its output', `sleep 1000 & echo ${SECRET}`, 'in time'],
    ['prints without an end', `exec yes ${SECRET}`, 'without an end'],
  ])('that %s is refused, and nothing of it runs on', async (_, script, sentence) => {
    const pidFile = join(folder, `pid-${scripts}`)
    const said = await failureOf(run(plugin(`echo $$ >${pidFile}; ${script}`), 500))
    expect(said).toContain(`KUBE_CREDENTIALS the credential plugin`)
    expect(said).toContain(sentence)
    expect(said).not.toContain(SECRET)
    const group = readFileSync(pidFile, 'utf8').trim()
    while (membersOf(group).length > 0) await Bun.sleep(5)
  })

  test('that is not there is asked for with its own words', async () => {
    const one = { ...plugin(''), command: join(folder, 'missing'), installHint: 'fetch it from the shelf' }
    expect(await failureOf(run(one))).toMatch(/missing.* cannot be run \(ENOENT\).*fetch it from the shelf/)
    writeFileSync(one.command, 'no program')
    expect(await failureOf(run(one))).toContain('cannot be run (EACCES)')
  })

  test('that must ask a person is not started where there is none', async () => {
    const mark = join(folder, 'started')
    expect(await failureOf(run(plugin(`touch ${mark}`, { interactiveMode: 'Always' })))).toContain('ask a person')
    expect(existsSync(mark)).toBe(false)
  })
})

describe('an answer', () => {
  const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  const asked = { apiVersion: V1 } as ExecPlugin
  const answer = (status: unknown, rest: object = {}) =>
    JSON.stringify({ apiVersion: V1, kind: 'ExecCredential', status, ...rest })
  const pair = { clientCertificateData: PEM, clientKeyData: PEM }

  test.each([
    [{ token: SECRET }, { credentials: { token: SECRET }, expires: undefined }],
    [pair, { credentials: { cert: PEM, key: PEM }, expires: undefined }],
    [
      { ...pair, token: SECRET, expirationTimestamp: '2026-11-21T08:00:00Z' },
      { credentials: { token: SECRET, cert: PEM, key: PEM }, expires: Date.parse('2026-11-21T08:00:00Z') },
    ],
    [
      { token: SECRET, expirationTimestamp: '2026-11-21T10:00:00.123456789+02:00' },
      { credentials: { token: SECRET }, expires: Date.parse('2026-11-21T08:00:00.123Z') },
    ],
  ])('%j is understood', (status, issued) => {
    expect(decodeAnswer(answer(status), asked)).toEqual(issued as never)
  })

  test.each([
    ['', 'not JSON'],
    [`{"token": "${SECRET}"`, 'not JSON'],
    ['[]', 'no status'],
    ['null', 'no status'],
    [answer({ token: SECRET }, { kind: 'Secret' }), 'no ExecCredential'],
    [answer({ token: SECRET }, { apiVersion: 'client.authentication.k8s.io/v1beta1' }), 'another version'],
    [answer(undefined), 'no status'],
    [answer({}), 'neither'],
    [answer({ token: 7 }), 'token that is no text'],
    [answer({ token: `${SECRET}\r\nx: y` }), 'a token that is none'],
    [answer({ clientKeyData: SECRET }), 'half'],
    [answer({ clientKeyData: SECRET, clientCertificateData: 'x' }), 'not in PEM'],
    [answer({ token: SECRET, expirationTimestamp: 'tomorrow' }), 'no time'],
    [answer({ token: SECRET, expirationTimestamp: '2026-99-21T08:00:00Z' }), 'no time'],
  ])('%s is refused without a word of it', async (text, sentence) => {
    const said = await failureOf(Promise.try(() => decodeAnswer(text, asked)))
    expect(said).toContain('KUBE_CREDENTIALS')
    expect(said).toContain(sentence)
    expect(said).not.toContain(SECRET)
  })

  test('that is anything at all is understood or refused', async () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((status) => answer(status)),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        expect(await failureOf(Promise.try(() => decodeAnswer(text, asked)))).toContain('KUBE_CREDENTIALS')
      }),
    )
  })
})

/** Processes of a group that still run. */
function membersOf(group: string): readonly string[] {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'pid=,stat=', '-g', group])
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '' && !/\sZ/.test(line))
}

async function failureOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    return `${error.code} ${error.message} ${error.remedy} ${Bun.inspect(error, { depth: 9 })}`
  }
  return 'nothing failed'
}

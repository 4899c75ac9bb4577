/** Plugins that are programs: small ones written here, run for real. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { addByProgram, callProgram, versionsOf } from './call-program.ts'
import { EXEC_LIMITS } from './exec.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-delegate-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a program of the shell's; answers its name. */
function program(name: string, script: string, into = folder): string {
  mkdirSync(into, { recursive: true })
  writeFileSync(join(into, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(into, name), 0o755)
  return name
}

const call = (type: string) => ({ type, path: [folder], containerId: 'c1', netns: '/run/netns/x', ifname: 'net1' })
const add = (type: string, limits = EXEC_LIMITS, signal?: AbortSignal) =>
  addByProgram(call(type), { cniVersion: '1.0.0', name: 'n', type }, '1.0.0', { limits, ...(signal && { signal }) })

describe('what a program is given', () => {
  test('environment and input, and nothing else of ours', async () => {
    program('env', 'env | sort > "$0.env"; cat > "$0.input"; echo "{}"')
    process.env['WEFTTEST_SECRET'] = 'do-not-tell'
    process.env['TRACEPARENT'] = '00-1-2-01'
    try {
      await callProgram(
        { ...call('env'), verb: 'ADD', args: 'IgnoreUnknown=1;K8S_POD_NAME=p', path: ['/nowhere', folder] },
        { name: 'n', list: [1] },
        { environment: { WEFT_CNI_SOCKET: '/run/x', CNI_COMMAND: 'DEL' } },
      )
    } finally {
      delete process.env['WEFTTEST_SECRET']
      delete process.env['TRACEPARENT']
    }
    const lines = readFileSync(join(folder, 'env.env'), 'utf8').split('\n')
    expect(lines.filter((line) => line.startsWith('CNI_'))).toEqual([
      'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=p',
      'CNI_COMMAND=ADD',
      'CNI_CONTAINERID=c1',
      'CNI_IFNAME=net1',
      'CNI_NETNS=/run/netns/x',
      `CNI_PATH=/nowhere:${folder}`,
    ])
    expect(lines).toContain('WEFT_CNI_SOCKET=/run/x')
    expect(lines).toContain('TRACEPARENT=00-1-2-01')
    expect(lines.join()).not.toContain('do-not-tell')
    expect(readFileSync(join(folder, 'env.input'), 'utf8')).toBe('{"name":"n","list":[1]}')
  })

  test('a large input is given as a whole', async () => {
    program('large', 'cat > "$0.input"; echo "{}"')
    const input = { text: 'x'.repeat(600_000) }
    await callProgram({ ...call('large'), verb: 'DEL' }, input)
    expect(readFileSync(join(folder, 'large.input'), 'utf8')).toHaveLength(JSON.stringify(input).length)
  })

  test('one that does not read it is not in the way', async () => {
    program('deaf', 'exec echo "{}"')
    await callProgram({ ...call('deaf'), verb: 'DEL' }, { text: 'x'.repeat(600_000) })
  })
})

describe('where it is looked for', () => {
  test('the first folder that has it counts; folders and files that cannot be run do not', async () => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')]
    mkdirSync(join(first, 'here'), { recursive: true })
    program('here', 'echo "{}"; echo found > "$0.ran"', second)
    writeFileSync(join(folder, 'here'), 'not to be run')
    await callProgram({ ...call('here'), verb: 'DEL', path: [first, folder, second] }, {})
    expect(existsSync(join(second, 'here.ran'))).toBe(true)
  })

  test('a link to a program is one', async () => {
    program('target', 'echo "{}"')
    symlinkSync(join(folder, 'target'), join(folder, 'alias'))
    await callProgram({ ...call('alias'), verb: 'DEL' }, {})
  })

  test.each(['absent', '../here', '/bin/true', '.', '', 'a\0b'])('%j is not found', async (type) => {
    program('here', 'echo "{}"')
    mkdirSync(join(folder, 'below'), { recursive: true })
    const path = [join(folder, 'below'), '']
    await expect(callProgram({ ...call(type), verb: 'DEL', path }, {})).rejects.toMatchObject({
      id: 'plugin-missing',
      code: 150,
    })
  })

  test('a relative folder is none', async () => {
    program('here', 'echo "{}"')
    const path = [relative(process.cwd(), folder)]
    await expect(callProgram({ ...call('here'), verb: 'DEL', path }, {})).rejects.toMatchObject({
      id: 'plugin-missing',
    })
  })
})

describe('its answer', () => {
  test.each<[string, string]>([
    ['0.2.0', '{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.5/24"}}'],
    ['0.3.0', '{"cniVersion":"0.3.0","ip":[{"version":"4","address":"10.0.0.5/24"}]}'],
    ['0.3.1', '{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.0.0.5/24"}]}'],
    ['1.0.0', '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5/24"}]}'],
    ['1.1.0', '{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.5/24"}]}'],
    ['the configuration’s, without one', '{"ips":[{"address":"10.0.0.5/24"}]}'],
  ])('of version %s', async (_, answer) => {
    program('answer', `echo '${answer}'`)
    expect((await add('answer')).ips).toEqual([{ address: '10.0.0.5/24' }])
  })

  test.each<[string, string, object]>([
    [
      'an error',
      `echo '{"cniVersion":"1.0.0","code":7,"msg":"bad master","details":"choose another"}'; exit 1`,
      { id: 'plugin-error', code: 7, message: 'bad: bad master', remedy: 'choose another' },
    ],
    ['an error of its own', `echo '{"code":4711,"msg":"x"}'; exit 1`, { code: 4711, message: 'bad: x' }],
    ['a transient error', `echo '{"code":11,"msg":"later"}'; exit 1`, { code: 11 }],
    ['an error of many lines', String.raw`printf '{"code":7,"msg":"a\\nb"}'; exit 1`, { message: 'bad: a b' }],
    [
      'an error without a code',
      `echo '{"msg":"x"}'; exit 3`,
      { code: 151, message: expect.stringContaining('status 3') },
    ],
    ['an error with a bad code', `echo '{"code":-1,"msg":"x"}'; exit 1`, { code: 151 }],
    [
      'an error that is none',
      `echo oops; exit 1`,
      { code: 151, message: expect.stringContaining('status 1 and no error') },
    ],
    ['no word', `echo secret-token >&2; exit 2`, { code: 151, message: expect.not.stringContaining('secret') }],
    ['a crash', `kill -SEGV $$`, { code: 151, message: expect.stringContaining('SIGSEGV') }],
    ['nothing', ``, { code: 151, message: 'plugin bad failed: its answer is not JSON: empty' }],
    ['no JSON', `echo '{'`, { code: 151, message: expect.stringContaining('unexpected end') }],
    [
      'two answers',
      `echo '{}{}'`,
      { code: 151, message: expect.stringContaining('unexpected character at line 1, column 3') },
    ],
    ['no result', `echo '{"ips":7}'`, { code: 151, message: expect.stringContaining('result.ips: must be a list') }],
    ['an unknown version', `echo '{"cniVersion":"9.0.0"}'`, { code: 151 }],
  ])('%s', async (_, script, expected) => {
    program('bad', script)
    await expect(add('bad')).rejects.toMatchObject(expected)
  })

  test('what it says on the side is for the log alone', async () => {
    program('loud', `echo secret >&2; echo '{"code":7,"msg":"x"}'; exit 1`)
    const heard: string[] = []
    const options = { heard: (type: string, text: string) => heard.push(`${type}: ${text}`) }
    await expect(callProgram({ ...call('loud'), verb: 'DEL' }, {}, options)).rejects.toEqual(
      expect.objectContaining({
        message: 'loud: x',
        remedy: expect.not.stringContaining('secret'),
      }),
    )
    expect(heard).toEqual(['loud: secret\n'])
  })
})

describe('its limits', () => {
  const quick = { ...EXEC_LIMITS, deadlineMs: 300 }

  test('it and what it started are stopped at the deadline', async () => {
    program('slow', 'sleep 1000 & echo $! > "$0.child"; echo $$ > "$0.pid"; wait')
    await expect(add('slow', quick)).rejects.toMatchObject({ id: 'plugin-timeout', code: 11 })
    for (const file of ['slow.child', 'slow.pid']) {
      const pid = Number(readFileSync(join(folder, file), 'utf8'))
      // Whoever has to ask for the dead may not have done so yet.
      for (const end = Date.now() + 10_000; isAlive(pid) && Date.now() < end; ) await Bun.sleep(5)
      expect(isAlive(pid)).toBe(false)
    }
  })

  test('it is stopped when nobody waits any more', async () => {
    program('waiting', 'echo $$ > "$0.pid"; exec sleep 1000')
    const gone = new AbortController()
    const added = add('waiting', EXEC_LIMITS, gone.signal)
    while (!existsSync(join(folder, 'waiting.pid'))) await Bun.sleep(5)
    gone.abort(new Error('the agent ends'))
    await expect(added).rejects.toThrow('the agent ends')
    await expect(add('waiting', EXEC_LIMITS, gone.signal)).rejects.toThrow('the agent ends')
  })

  test('it may not answer for ever', async () => {
    program('endless', 'exec yes')
    await expect(add('endless')).rejects.toEqual(
      expect.objectContaining({ message: expect.stringContaining('more than 1048576 bytes') }),
    )
  })

  test('what it says on the side is cut', async () => {
    program('noisy', 'head -c 3000000 /dev/zero | tr "\\0" x >&2; echo "{}"')
    const heard: string[] = []
    await callProgram({ ...call('noisy'), verb: 'DEL' }, {}, { heard: (_, text) => heard.push(text) })
    expect(heard.map(({ length }) => length)).toEqual([EXEC_LIMITS.maxErrors])
  })

  test('a daemon that it leaves with its output is not waited for', async () => {
    // What it writes comes to nobody once the other end is closed: the daemon itself finds out.
    program(
      'daemon.sh',
      `trap '' PIPE; while [ ! -e "$0.write" ]; do sleep 0.02; done
      while echo x 2>/dev/null; do sleep 0.02; done; echo told > "$0.closed"; exec sleep 1000`,
    )
    program('daemon', `setsid "$0.sh" & echo $! > "$0.child"; echo '{"ips":[]}'`)
    try {
      expect((await add('daemon')).ips).toEqual([])
      writeFileSync(join(folder, 'daemon.sh.write'), '')
      const closed = join(folder, 'daemon.sh.closed')
      for (let i = 0; i < 1_000 && !existsSync(closed); i += 1) await Bun.sleep(20)
      expect(existsSync(closed)).toBe(true)
    } finally {
      process.kill(-Number(readFileSync(join(folder, 'daemon.child'), 'utf8')), 'SIGKILL')
    }
  })

  test('one that is just being replaced is tried again', async () => {
    program('busy', 'echo "{}"')
    const writer = openSync(join(folder, 'busy'), 'r+')
    const added = add('busy')
    await Bun.sleep(50)
    closeSync(writer)
    expect((await added).ips).toEqual([])
  })
})

test.each<[string, string, readonly string[]]>([
  [
    'all',
    `echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0","7.0.0"]}'`,
    ['0.3.1', '0.4.0', '1.0.0'],
  ],
  ['those of 0.2.0', `echo '{"cniVersion":"0.2.0"}'`, ['0.1.0', '0.2.0']],
  ['the first', `echo '{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}'; exit 1`, ['0.1.0']],
])('versions: %s', async (_, script, expected) => {
  program('versions', script)
  expect<unknown>(await versionsOf('versions', [folder])).toEqual(expected)
})

test('versions: one that fails has none', async () => {
  program('versions', `echo '{"code":7,"msg":"x"}'; exit 1`)
  await expect(versionsOf('versions', [folder])).rejects.toMatchObject({ code: 7 })
})

/** Whether a process runs; one that ended and has not been waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

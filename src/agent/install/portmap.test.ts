import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPortmap, installIn, OFFERED } from './portmap.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-portmap-'))
  writeFileSync(join(folder, 'weft'), '')
})
afterEach(() => rmSync(folder, { recursive: true }))

const script = (text: string, mode = 0o755): void => {
  writeFileSync(join(folder, 'portmap'), `#!/bin/sh\n${text}\n`, { mode })
}
const speaking = (...versions: readonly string[]): string =>
  `echo '${JSON.stringify({ cniVersion: '1.0.0', supportedVersions: versions })}'`

/** One that ended may not have been waited for by its new parent. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('the real one is asked which versions it speaks', async () => {
  symlinkSync('/usr/lib/cni/portmap', join(folder, 'portmap'))
  const found = await findPortmap(folder, 'weft')
  expect(found).toEqual(expect.objectContaining({ versions: expect.arrayContaining(['0.4.0', '1.0.0']) }))
})

test('of its versions those count that we offer', async () => {
  script(speaking('9.9.9', '1.1.0', '0.1.0', '0.4.0'))
  expect(await findPortmap(folder, 'weft')).toEqual({ versions: ['0.4.0', '1.1.0'] })
  script(`[ "$CNI_COMMAND" = VERSION ] && ${speaking(...OFFERED)}`)
  expect(await findPortmap(folder, 'weft')).toEqual({ versions: OFFERED })
})

describe('one that cannot be used is an error that says what to type', () => {
  test.each([
    ['none', (): void => undefined, 'portmap is missing'],
    ['no program', (): void => script('', 0o644), 'cannot be run'],
    ['a folder', (): unknown => mkdirSync(join(folder, 'portmap')), 'cannot be run'],
    ['one that fails', (): void => script('exit 3'), 'cannot be run (exit code 3)'],
    ['one that says nothing', (): void => script('true'), 'cannot be run'],
    ['one that says nonsense', (): void => script('echo null'), 'speaks no version'],
    ['one that is too old', (): void => script(speaking('0.1.0', '0.3.1')), 'speaks no version'],
  ] as const)('%s', async (_, make: () => unknown, cause) => {
    make()
    const found = await findPortmap(folder, 'weft')
    expect(found).toEqual(
      expect.objectContaining({
        code: 'AGENT_HOST_PORTS',
        message: expect.stringContaining(cause),
        remedy: `apt-get install containernetworking-plugins && install /usr/lib/cni/portmap ${folder}/`,
      }),
    )
  })

  test('one whose child holds its output, as it would hold up the runtime: it is not waited for', async () => {
    script(`sleep 60 & echo $! > ${join(folder, 'child')}; ${speaking('1.0.0')}`)
    const found = findPortmap(folder, 'weft', 500)
    expect(await Promise.race([found, Bun.sleep(10_000)])).toEqual(
      expect.objectContaining({
        message: expect.stringContaining('it does not answer'),
      }),
    )
    process.kill(Number(readFileSync(join(folder, 'child'), 'utf8')), 'SIGKILL')
  }, 30_000)

  test('one that hangs leaves nothing of what it started', async () => {
    script(`sleep 60 & echo $! > ${join(folder, 'child')}; wait`)
    expect(await findPortmap(folder, 'weft', 500)).toEqual(
      expect.objectContaining({
        message: expect.stringContaining('it does not answer'),
      }),
    )
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'))
    while (isRunning(child)) await Bun.sleep(5)
  }, 30_000)

  test('one that says more than fits is not heard out', async () => {
    script('exec cat /dev/zero')
    expect(await findPortmap(folder, 'weft')).toEqual(
      expect.objectContaining({ message: expect.stringContaining('says more') }),
    )
  })

  test('a folder without our plugin is not the runtime’s, whatever else is in it', async () => {
    script(speaking('1.0.0'))
    rmSync(join(folder, 'weft'))
    expect(await findPortmap(folder, 'weft')).toMatchObject({ remedy: 'name the folder: --cni-bin-dir' })
  })

  test('where Debian’s package puts it nothing has to be copied', () =>
    expect(installIn('/usr/lib/cni')).toBe('apt-get install containernetworking-plugins'))
})

import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { LinuxError } from '../errno.ts'
import { addonPath, loadAddon, systemCalls } from './addon.ts'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-linux-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('loading', () => {
  const cases: readonly (readonly [string, (file: string) => void, string])[] = [
    ['a fine file', () => undefined, 'loaded'],
    ['a missing file', (file) => rmSync(file), 'LINUX_ADDON_MISSING'],
    ['a file that others can write', (file) => chmodSync(file, 0o757), 'LINUX_ADDON_UNSAFE'],
    ['a file that a group can write', (file) => chmodSync(file, 0o775), 'LINUX_ADDON_UNSAFE'],
    ['a file of another user', (file) => chownSync(file, 65534, 65534), 'LINUX_ADDON_UNSAFE'],
    ['a folder of another user', () => chownSync(folder, 65534, 65534), 'LINUX_ADDON_UNSAFE'],
    ['a folder that others can write', () => chmodSync(folder, 0o777), 'LINUX_ADDON_UNSAFE'],
    ['a file that is no library', (file) => writeFileSync(file, 'x'), 'LINUX_ADDON_MISSING'],
  ]
  test.each(cases)('%s', (what, spoil, expected) => {
    // A name of its own: a library that is loaded is not read again.
    const file = join(folder, `${Bun.hash(what)}.node`)
    copyFileSync(addonPath(), file)
    chmodSync(file, 0o755)
    chmodSync(folder, 0o755)
    chownSync(folder, 0, 0)
    spoil(file)
    expect(outcome(() => loadAddon(file))).toBe(expected)
    rmSync(file, { force: true })
  })

  test('a missing addon names the remedy', () => {
    try {
      loadAddon('/nowhere/weft_sys.node')
      expect.unreachable()
    } catch (error) {
      expect((error as LinuxError).remedy).toContain('npm run build')
    }
  })
})

describe('arguments', () => {
  // Calls that fail on a descriptor that does not exist (flock succeeds with obsolete flags).
  const harmless = [
    'socketIn',
    'bind',
    'connect',
    'listen',
    'accept4',
    'shutdown',
    'getsockname',
    'send',
    'sendto',
    'recv',
    'recvfrom',
    'sendmsg',
    'recvmsg',
    'setsockopt',
    'getsockopt',
    'ioctl',
    'ethtool',
    'setns',
    'dup',
    'rearm',
    'unwatch',
    'openIn',
  ] as const

  test('of any type and number give -errno or a TypeError, never a crash', () => {
    const calls = systemCalls()
    const absent = 1_000_000
    const value = fc.oneof(
      fc.anything(),
      fc.integer(),
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ maxLength: 20 }),
      fc.constant(new Uint16Array(4)),
      fc.constant(new Uint8Array(new ArrayBuffer(8).transfer(0))),
      fc.array(fc.integer(), { maxLength: 300 }),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...harmless),
        fc.array(value, { maxLength: 5 }),
        fc.boolean(),
        (name, rest, first) => {
          const call = calls[name] as (...values: readonly unknown[]) => unknown
          const given = first ? [absent, ...rest] : [undefined, ...rest]
          const result = outcome(() => call(...given))
          expect(['WEFT_SYS_ARGUMENT', 'refused']).toContain(result)
        },
      ),
      { numRuns: 3000 },
    )
  })

  test.each([-1, 1.5, Number.NaN, 2 ** 31, '3', null, undefined, 3n, {}])('%p is no descriptor', (fd) => {
    const close = systemCalls().close as (fd: unknown) => number
    expect(outcome(() => close(fd))).toBe('WEFT_SYS_ARGUMENT')
  })

  test('a socket filter, which holds a pointer, is refused', () => {
    const calls = systemCalls()
    const fd = calls.socket(2, 2, 0)
    expect(calls.setsockopt(fd, 1, 26, new Uint8Array(16).fill(1))).toBe(-95)
    calls.close(fd)
  })

  test('a path with NUL is refused', () => {
    const calls = systemCalls()
    expect(outcome(() => calls.umount2('/tmp\0/x', 0))).toBe('WEFT_SYS_ARGUMENT')
  })
})

function outcome(action: () => unknown): string {
  try {
    const result = action()
    return typeof result === 'number' && result < 0 ? 'refused' : 'loaded'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

import { expect, test } from 'bun:test'
import { libraries, pathsInLdd } from './libraries.mjs'

test('what ldd prints, without the kernel’s own page', () => {
  const output = [
    '\tlinux-vdso.so.1 (0x00007ffd1b5f2000)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f140253b000)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f1402730000)',
    '\tstatically linked',
    '',
  ].join('\n')
  expect(pathsInLdd(output)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2'])
})

test('the libraries of a program that is there, each once, in the folders of an image', () => {
  const { entries, sources } = libraries(['/bin/sh', '/bin/ls'])
  const paths = entries.map(({ path }) => path)
  expect(paths.some((path) => path.endsWith('/libc.so.6'))).toBe(true)
  expect(paths.every((path) => path.startsWith('usr/lib'))).toBe(true)
  expect(new Set(paths).size).toBe(paths.length)
  expect(sources).toEqual([...sources].sort())
})

test('what is no program is refused', () => {
  expect(() => libraries(['/etc/passwd'])).toThrow('ldd cannot read /etc/passwd')
})

import { expect, test } from 'bun:test'
import { typedCommand, withTypedCommands } from './self.ts'

test.each([
  ['weft play table', undefined, 'dist/weft play table'],
  ['weft play table', '/run/weft-play', 'dist/weft play table'],
  ['weft play table', '/run/weft-play/', 'dist/weft play table'],
  ['weft play table', '/run/second', 'dist/weft play table --run-dir /run/second'],
  ['weft host change lb --vni 0', '/run/second', 'dist/weft host change lb --vni 0 --run-dir /run/second'],
  ['weft ipam pools', '/run/second', 'dist/weft ipam pools --run-dir /run/second'],
  ['weft bandwidth', '/run/second', 'dist/weft bandwidth --run-dir /run/second'],
  ['weft tenant list', '/run/second', 'dist/weft tenant list --run-dir /run/second'],
  ['weft play exec a/b -- ip addr', '/run/second', 'dist/weft play exec --run-dir /run/second a/b -- ip addr'],
  ['weft play up --help', '/run/second', 'dist/weft play up --help'],
  ['weft docs pipeline', '/run/second', 'dist/weft docs pipeline'],
])('%s in %p', (command, runDir, typed) => {
  expect(typedCommand(command, runDir, 'dist/weft')).toBe(typed)
})

test('commands of advice are rewritten without backquotes, too', () => {
  const text = 'To let them talk: weft tenant join a --to b; else weft audit'
  const typed = 'To let them talk: weft tenant join a --to b --run-dir /run/x; else weft audit --run-dir /run/x'
  expect(withTypedCommands(text, '/run/x', 'weft')).toBe(typed)
})

test('commands in backquotes are rewritten, a name alone is not', () => {
  const text = 'weft is there: `weft play down`, then `weft play`'
  const typed = 'weft is there: dist/weft play down --run-dir /run/x, then dist/weft play --run-dir /run/x'
  expect(withTypedCommands(text, '/run/x', 'dist/weft')).toBe(typed)
})

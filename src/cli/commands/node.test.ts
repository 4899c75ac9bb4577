import { expect, test } from 'bun:test'
import { join } from 'node:path'

const MAIN = join(import.meta.dir, '../../main.ts')

test('a dry run without Open vSwitch says what it cannot tell, and what to do', async () => {
  const places = ['--ovsdb', '--run-dir', '--cni-bin-dir', '--cni-config-dir'].flatMap((one) => [one, '/nonexistent'])
  const child = Bun.spawn([process.execPath, MAIN, 'node', 'clean', '--dry-run', ...places], { stdout: 'pipe' })
  const stdout = await new Response(child.stdout).text()
  expect(await child.exited).toBe(1)
  expect(stdout).toMatch(/^cannot tell what is in Open vSwitch's database: .* → start Open vSwitch and clean again$/m)
  expect(stdout).not.toContain('remove')
})

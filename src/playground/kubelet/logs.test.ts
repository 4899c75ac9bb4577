/** Logs: written, bounded, rotated, read and followed. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { LogOptions } from '../apiserver/contract.ts'
import { writeJson } from './container/files.ts'
import { LogFile } from './container/log-file.ts'
import { readLog } from './logs.ts'

const parent = mkdtempSync(join(tmpdir(), 'wefttest-logs-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))

const NOW = Date.parse('2026-01-02T03:04:05.000Z')

function fresh(): string {
  return mkdtempSync(join(parent, 'run-'))
}

function read(folder: string, options: Partial<LogOptions> = {}): Promise<string> {
  const all = { follow: false, timestamps: false, ...options }
  return new Response(readLog(folder, all, NOW, AbortSignal.timeout(5000))).text()
}

test('what is written comes back, in whatever pieces it came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ maxLength: 40 }).map((text) => text.replace(/\r/g, ''))), async (pieces) => {
      const folder = fresh()
      const log = new LogFile(folder, () => new Date(NOW))
      for (const piece of pieces) log.write('stdout', Buffer.from(piece))
      log.close()
      expect(await read(folder)).toBe(pieces.join(''))
    }),
    { numRuns: 50 },
  )
})

test('a long line comes back whole', async () => {
  const folder = fresh()
  const log = new LogFile(folder, () => new Date(NOW))
  const line = `${'x'.repeat(50_000)}\n`
  log.write('stdout', Buffer.from(line))
  log.close()
  expect(await read(folder)).toBe(line)
})

test('the file stays small; the last lines are kept', async () => {
  const folder = fresh()
  const log = new LogFile(folder, () => new Date(NOW), 1000)
  for (let i = 0; i < 500; i += 1) log.write('stdout', Buffer.from(`line ${i}\n`))
  log.close()
  expect(statSync(join(folder, 'log')).size).toBeLessThanOrEqual(1000)
  const lines = (await read(folder)).trim().split('\n')
  expect(lines.length).toBeGreaterThan(20)
  expect(lines.at(-1)).toBe('line 499')
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${500 - lines.length + i}`))
})

test.each<[string, Partial<LogOptions>, string]>([
  ['the last lines', { tailLines: 2 }, 'three\nfour\n'],
  ['no lines', { tailLines: 0 }, ''],
  ['since some seconds', { sinceSeconds: 15 }, 'three\nfour\n'],
  ['so many bytes', { limitBytes: 6 }, 'one\ntw'],
  ['with times', { tailLines: 1, timestamps: true }, '2026-01-02T03:04:05.000000000Z four\n'],
])('%s', async (_, options, expected) => {
  const folder = fresh()
  let at = NOW - 30_000
  const log = new LogFile(folder, () => new Date(at))
  for (const line of ['one', 'two', 'three', 'four']) {
    log.write(line === 'two' ? 'stderr' : 'stdout', Buffer.from(`${line}\n`))
    at += 10_000
  }
  log.close()
  expect(await read(folder, options)).toBe(expected)
})

test('a log is followed through its rotations to the end', async () => {
  const folder = fresh()
  const log = new LogFile(folder, () => new Date(NOW), 2000)
  const text = read(folder, { follow: true })
  const lines = Array.from({ length: 120 }, (_, i) => `line ${i}\n`)
  for (const [i, line] of lines.entries()) {
    log.write('stdout', Buffer.from(line))
    // Slower than the follower looks: who is overtaken by two rotations misses what they took away.
    if (i % 20 === 0) await Bun.sleep(120)
  }
  log.close()
  writeJson(join(folder, 'end.json'), { exitCode: 0, reason: 'Completed', finishedAt: NOW })
  expect(await text).toBe(lines.join(''))
})

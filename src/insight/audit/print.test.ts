import { expect, test } from 'bun:test'
import { lookFor, PLAIN } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import { FINDINGS, type Finding, type FindingCode } from './findings.ts'
import { printAudit } from './print.ts'

const FOUND: Finding = {
  code: 'lease-without-pod',
  node: 'node1',
  object: 'pod shop/web',
  detail: 'the registry has no such pod',
  step: { op: 'release-lease', endpoint: 'c2/eth0' },
}

test('a repair is advised before one, as it has to be typed, and never after', () => {
  const asTyped = (command: string): string => `${command} --run-dir /run/x`
  const before = printAudit(sampleView(), [FOUND], PLAIN, { asTyped })
  expect(before.at(-1)).toBe('  weft audit --repair --run-dir /run/x can try to put 1 of them right')
  const after = printAudit(sampleView(), [FOUND], PLAIN, { repaired: true })
  expect(after.at(-1)).toContain(': 1 difference left')
  expect(after.join('\n')).not.toContain('can try')
})

test('what is no node’s names none, and where no node was asked none is counted', () => {
  const found = [{ ...FOUND, node: '-', step: undefined }]
  const view = { nodes: [], silent: [], registry: undefined }
  const lines = printAudit(view, found, PLAIN, { compared: [[3, 'OVN row']] })
  expect(lines).toContain('    - pod shop/web: the registry has no such pod')
  expect(lines.at(-1)).toBe('✘ 3 OVN rows compared: 1 difference')
})

test('every finding fits the terminal', () => {
  const findings = (Object.keys(FINDINGS) as FindingCode[]).map((code) => ({ ...FOUND, code }))
  for (const columns of [100, 80]) {
    const lines = printAudit(sampleView(), findings, lookFor({ columns }, false))
    expect(lines.filter((line) => line.length > columns)).toEqual([])
  }
})

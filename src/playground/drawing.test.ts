import { expect, test } from 'bun:test'
import { lookFor, PLAIN as plain } from '../text/look.ts'
import { widthOf } from '../text/width.ts'
import { judge, type ProbeResult, planChecks, type Verdict } from './checks.ts'
import { drawPicture } from './picture.ts'
import { drawTable } from './table.ts'
import { SAMPLE } from './testing/sample.ts'

const coloured = lookFor({}, true)

/** Verdicts of a world in which every probe ends as it should. */
function good(): readonly Verdict[] {
  return planChecks(SAMPLE).map((check) =>
    judge(
      check,
      ([4, 6] as const).flatMap((family, i): ProbeResult[] => {
        const client = check.seenAs[i] ?? ''
        return [
          { family, protocol: 'ping', reached: check.expected },
          { family, protocol: 'tcp', reached: check.expected, server: check.answers, client },
        ]
      }),
    ),
  )
}

test('the picture shows nodes, pods, addresses and tenants', () => {
  const text = drawPicture(SAMPLE, plain).join('\n')
  for (const part of ['node1', 'node2', 'shop/web', '10.128.0.3', 'fd00:10:128:2::2', 'VNI 10', 'global', 'vxlan']) {
    expect(text).toContain(part)
  }
})

test.each([
  ['tunnel', 'physical network · vxlan port 4789 over IPv4 ═'],
  ['direct', 'physical network · direct routes, else vxlan port 4789 over IPv4 ═'],
  ['bgp', 'physical network · BGP routes, else vxlan port 4789 over IPv4 ═'],
] as const)('the picture says what carries packets of pods: %s', (way, words) => {
  const cluster = { ...SAMPLE.cluster, fabric: { way, otherwise: 'tunnel' } } as const
  expect(drawPicture({ ...SAMPLE, cluster }, plain).join('\n')).toContain(words)
})

test('a heading is whole however few pods there are', () => {
  const around = { ...SAMPLE, pods: SAMPLE.pods.slice(0, 1) }
  const verdicts = planChecks(around).map((check) => judge(check, []))
  const [, , head = '', , row = ''] = drawTable(verdicts, plain)
  expect(head).toMatch(/^ +measured +│ expected$/)
  expect(row.indexOf('│')).toBe(head.indexOf('│'))
})

test.each([100, 80, 62])('picture and table fit %d columns, with and without colours', (columns) => {
  for (const colours of [false, true]) {
    const look = lookFor({ columns }, colours)
    const cluster = { ...SAMPLE.cluster, fabric: { way: 'direct', otherwise: 'tunnel' } } as const
    const pictures = [SAMPLE, { ...SAMPLE, cluster }].flatMap((scene) => drawPicture(scene, look))
    const lines = [...pictures, ...drawTable(good(), look)]
    expect(lines.filter((line) => widthOf(line) > columns)).toEqual([])
  }
})

test('no colour reaches what is no terminal', () => {
  const escapeCharacter = String.fromCharCode(27)
  const lines = [...drawPicture(SAMPLE, plain), ...drawTable(good(), plain)]
  expect(lines.join('\n')).not.toContain(escapeCharacter)
  expect(drawTable(good(), coloured).join('\n')).toContain(escapeCharacter)
})

test('the table shows what was measured beside what was expected', () => {
  const lines = drawTable(good(), plain)
  expect(lines.find((line) => line.includes('4 shop/web'))).toMatch(/···· {2}●●●● {2}●●●● {2}—\s+│ no {2}yes yes —$/)
  expect(lines.at(-1)).toContain('Everything as expected: 12 pairs and 16 others')
  expect(lines.join('\n')).toContain('198.18.77.11 fd00:18:77::11')
})

test('a leak is marked in its cell and told in words', () => {
  const verdicts = good().map((verdict) => {
    if (verdict.check.from !== 'shop/web' || verdict.check.to !== 'bank/vault') return verdict
    return judge(verdict.check, [{ family: 4, protocol: 'ping', reached: true }])
  })
  const text = drawTable(verdicts, plain).join('\n')
  expect(text).toContain('WRONG: 1 of 12 pairs and 16 others')
  expect(text).toContain('shop/web → bank/vault ping IPv4: answered, although it must not')
  expect(text).toMatch(/4 shop\/web\s+● {3}!/)
})

test('many pods go into several blocks that fit', () => {
  const pods = Array.from({ length: 20 }, (_, i) => ({ ...SAMPLE.pods[0], name: `p${i}` }))
  const around = { ...SAMPLE, pods: pods as typeof SAMPLE.pods }
  const lines = drawTable(
    planChecks(around).map((check) => judge(check, [])),
    plain,
  )
  expect(Math.max(...lines.slice(2).map(widthOf))).toBeLessThanOrEqual(100)
})

import { expect, test } from 'bun:test'
import { judgeKubectl } from './kubectl.ts'

const told = (minor: string) =>
  `{"clientVersion": {\n "major": "1",\n    "minor": "${minor}", "gitVersion": "v1.${minor}.0"}}`

test.each([
  ['1.20', told('20+'), '1.20'],
  ['1.29', told('29'), '1.29'],
  ['nothing', '', 'does not tell'],
  ['nonsense', '{"major": "2"}', 'does not tell'],
])('a kubectl that says %s is refused in a sentence', (_, version, words) => {
  const judged = judgeKubectl('/usr/bin/kubectl', version)
  expect('refusal' in judged ? judged.refusal : '').toContain(words)
})

test.each(['30', '32', '32+', '36'])('kubectl 1.%s will do', (minor) => {
  expect(judgeKubectl('/usr/bin/kubectl', told(minor))).toEqual({ path: '/usr/bin/kubectl' })
})

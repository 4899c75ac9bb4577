import { expect, test } from 'bun:test'
import { problemLine } from '../../network/model/problem.ts'
import { unreadableProblems } from './unreadable.ts'

test.each([
  [
    'BgpPeering/rack',
    'spec.nodeSelector: character 9: there is "a"; correct the selector',
    true,
    'BGPPeer rack spec.nodeSelector: character 9: there is "a"; correct the selector; until then it counts as it was before',
  ],
  [
    'BgpRange/blue',
    'spec.cidr: "a: b" is no network (give one)',
    false,
    'IPPool blue spec.cidr: "a: b" is no network (give one); until then it counts as absent',
  ],
])('%s is told in the words of whoever wrote it', (object, problem, isKept, line) => {
  expect(unreadableProblems([[object, problem]], () => isKept).map(problemLine)).toEqual([line])
})

test('other kinds are told elsewhere', () => {
  expect(unreadableProblems([['Pod/a/b', 'x']], () => true)).toEqual([])
})

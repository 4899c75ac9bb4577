import { expect, test } from 'bun:test'
import { finalLine, readSummary, sumUp } from './summary.mjs'

const end = (pass, fail, more = '') =>
  `x.test.ts:\n(pass) a\n\n ${pass} pass\n${more} ${fail} fail\n 9 expect() calls\nRan 9 tests across 2 files. [4.00ms]`

test.each([
  ['all well', end(3, 0), 0, { passed: 3, failed: 0, skipped: 0 }],
  ['a failed test', end(3, 2), 1, { passed: 3, failed: 2, skipped: 0 }],
  ['skipped tests', end(3, 0, ' 2 skip\n 1 todo\n'), 0, { passed: 3, failed: 0, skipped: 3 }],
  [
    'an error between tests',
    end(3, 0).replace(' 9 expect', ' 1 error\n 9 expect'),
    1,
    { passed: 3, failed: 1, skipped: 0 },
  ],
  ['a crash before the summary', 'x.test.ts:\n(pass) a\npanic: oh no', 132, { passed: 0, failed: 1, skipped: 0 }],
  ['a silent crash', 'x.test.ts:\n(pass) a', 0, { passed: 0, failed: 1, skipped: 0 }],
  ['a bad end after a good summary', end(3, 0), 139, { passed: 3, failed: 1, skipped: 0 }],
  ['no test found', 'No tests found!', 1, { passed: 0, failed: 1, skipped: 0 }],
  ['a test that prints a summary', ` 7 pass\n${end(3, 0)}`, 0, { passed: 3, failed: 0, skipped: 0 }],
])('%s', (_, output, code, expected) => {
  expect(readSummary(output, code)).toEqual(expected)
})

test('the final line', () => {
  const total = sumUp([readSummary(end(3, 1), 1), { passed: 1, failed: 0, skipped: 0 }])
  expect(finalLine(total)).toBe('4 passed, 1 failed')
  expect(finalLine({ ...total, skipped: 2 })).toBe('4 passed, 1 failed, 2 skipped')
  expect(finalLine(sumUp([total, { passed: 1, failed: 0, skipped: 0, unsteady: 1 }]))).toBe(
    '5 passed, 1 failed, 1 unsteady',
  )
})

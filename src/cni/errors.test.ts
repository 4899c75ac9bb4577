import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CniErrorRow } from './error-row.ts'
import { CNI_ERRORS, type CniErrorId } from './error-table.ts'
import { cniError, errorAnswer, printError, toCniError } from './errors.ts'

const WELL_KNOWN = [1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51]
const rows: readonly (readonly [string, CniErrorRow])[] = Object.entries(CNI_ERRORS)

describe('the table', () => {
  test.each(rows)('%s is complete', (id, row) => {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(WELL_KNOWN.includes(row.code) || (row.code >= 100 && row.code <= 999)).toBe(true)
    expect(row.message).not.toBe('')
    expect(row.remedy).not.toBe('')
    expect(`${row.message}${row.remedy}`).toMatch(/^[\x20-\x7e]*$/)
  })

  test('our own codes name one error each', () => {
    const own = rows.map(([, row]) => row.code).filter((code) => code >= 100)
    expect(new Set(own).size).toBe(own.length)
  })

  test.each([
    ['incompatible-version', 1],
    ['unsupported-field', 2],
    ['container-unknown', 3],
    ['environment-missing', 4],
    ['input-unreadable', 5],
    ['input-not-json', 6],
    ['config-invalid', 7],
    ['netns-unusable', 8],
    ['agent-not-running', 11],
    ['ovs-unreachable', 11],
    ['tenant-unassigned', 11],
    ['status-not-ready', 50],
    ['internal', 999],
  ] as const satisfies readonly (readonly [CniErrorId, number])[])('%s has the specified code %d', (id, code) => {
    expect(CNI_ERRORS[id].code).toBe(code)
  })
})

describe('an error', () => {
  test('is printed with version, code, cause and remedy', () => {
    const error = cniError('verb-needs-version', { version: '0.3.1', verb: 'GC', since: '1.1.0' })
    expect(JSON.parse(printError(error, '0.3.1'))).toEqual({
      cniVersion: '0.3.1',
      code: 1,
      msg: 'config version "0.3.1" does not allow GC: it exists since 1.1.0',
      details: 'set cniVersion to 1.1.0 or newer, or do not call GC for this network (verb-needs-version)',
    })
  })

  test.each([undefined, '9.9.9', 7, {}])('carries 0.4.0 where the request says %j', (version) => {
    expect(errorAnswer(cniError('internal'), version).cniVersion).toBe('0.4.0')
  })

  test('is well-formed text even of halves of characters', () => {
    const error = cniError('config-invalid', { field: '\ud800', expected: `${'x'.repeat(254)}😀😀` })
    expect(error.message.isWellFormed()).toBe(true)
  })

  test('is one line, bounded, whatever the values', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (value) => {
        const error = cniError('config-invalid', { field: value, expected: '{field}' })
        expect(error.message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
        expect(error.message.length).toBeLessThan(400)
        expect(error.message.isWellFormed()).toBe(true)
        expect(error.message.endsWith(': {field}')).toBe(true)
        expect(printError(error).trimEnd()).not.toContain('\n')
      }),
    )
  })
})

describe('what was thrown', () => {
  const strange = {
    'an Error': new Error('token=abc123'),
    'a TypeError': new TypeError("undefined is not an object (evaluating 'x.secret')"),
    'an error of the system': Object.assign(new Error('ENOENT /etc/secret'), { code: 'ENOENT', errno: -2 }),
    'a string': 'with a secret',
    'what names no room': Object.assign(new Error('secret'), { code: 'pool-exhausted', remedy: 'secret' }),
    'an error of a room without a remedy': Object.assign(new Error('secret'), { code: 'REGISTRY_INVALID' }),
    'what looks like an error': { message: 'secret', code: 'x', remedy: 'secret' },
    undefined: undefined,
    null: null,
  }
  test.each(Object.keys(strange))('%s becomes 999 and tells nothing', (name) => {
    expect(JSON.parse(printError(Reflect.get(strange, name)))).toEqual({
      cniVersion: '0.4.0',
      code: 999,
      msg: 'internal error',
      details: 'see the log of the agent at this time (internal)',
    })
  })

  test('an error of ours is kept', () => {
    const error = cniError('internal')
    expect(toCniError(error)).toBe(error)
  })

  test('an error of another room keeps its words where no row of the table stands for it', () => {
    const other = Object.assign(new Error('no bridge br1'), { code: 'LINUX_ENODEV', remedy: 'create br1' })
    expect(errorAnswer(toCniError(other))).toMatchObject({
      code: 999,
      msg: 'no bridge br1',
      details: 'create br1 (LINUX_ENODEV)',
    })
  })

  test.each([
    ['OVSDB_INTERFACE_ERROR', 106, 'port-failed'],
    ['OVSDB_UNREACHABLE', 11, 'ovs-unreachable'],
    ['OVSDB_DISCONNECTED', 11, 'ovs-unreachable'],
    ['OVSDB_TIMEOUT', 11, 'ovs-unreachable'],
    ['OVSDB_CLOSED', 11, 'ovs-unreachable'],
    ['OPENFLOW_DISCONNECTED', 11, 'ovs-unreachable'],
    ['AGENT_SWITCH_AWAY', 11, 'ovs-unreachable'],
    ['AGENT_NOT_READY', 11, 'agent-starting'],
    ['LINUX_EPERM', 103, 'permission-denied'],
    ['LINUX_EACCES', 103, 'permission-denied'],
    ['LINUX_EOPNOTSUPP', 109, 'kernel-feature-missing'],
    ['LINUX_EAFNOSUPPORT', 109, 'kernel-feature-missing'],
    ['OVSDB_BAD_RESULT', 999, 'OVSDB_BAD_RESULT'],
    ['OPENFLOW_ERROR_9_9', 999, 'OPENFLOW_ERROR_9_9'],
  ])('%s of another room is %i, %s', (code, number, id) => {
    const error = toCniError(Object.assign(new Error('the\ncause'), { code, remedy: 'do this' }))
    expect(error).toMatchObject({ code: number, id })
    expect(error.message).toEndWith('the cause')
  })
})

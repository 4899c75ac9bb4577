import { describe, expect, test } from 'bun:test'
import { CNI_VERBS, CNI_VERSIONS, isCniVersion, versionAnswer, versionHasVerb } from './version.ts'

const EVERY = '0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0'

describe('which verb exists in which version', () => {
  test.each([
    ['ADD', EVERY],
    ['DEL', EVERY],
    ['VERSION', '0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0'],
    ['CHECK', '0.4.0 1.0.0 1.1.0'],
    ['GC', '1.1.0'],
    ['STATUS', '1.1.0'],
  ] as const)('%s: %s', (verb, versions) => {
    expect(CNI_VERSIONS.filter((version) => versionHasVerb(version, verb)).join(' ')).toBe(versions)
  })

  test('the table above has every verb', () => expect(CNI_VERBS).toHaveLength(6))
})

describe('the answer to VERSION', () => {
  test.each(CNI_VERSIONS)('is in the version asked in: %s', (version) => {
    expect(versionAnswer(version)).toEqual({ cniVersion: version, supportedVersions: CNI_VERSIONS })
  })

  test.each([undefined, '', '9.9.9', 1, null, {}])('is in the newest for %j', (asked) => {
    expect(versionAnswer(asked).cniVersion).toBe('1.1.0')
  })
})

test('nothing else is a version', () => {
  for (const value of ['1.0', 'v1.0.0', '1.2.0', 'constructor', 0, null]) expect(isCniVersion(value)).toBe(false)
})

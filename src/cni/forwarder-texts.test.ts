import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { FORWARDER_TEXTS, forwarderTexts } from './forwarder-texts.ts'

test('native/forwarder_texts.h is current: run bun src/cni/forwarder-texts.ts if not', () => {
  expect(readFileSync(FORWARDER_TEXTS, 'utf8')).toBe(forwarderTexts())
})

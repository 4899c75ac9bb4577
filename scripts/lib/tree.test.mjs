import { expect, test } from 'bun:test'
import { PLUGIN_NAMES as INSTALLED } from '../../src/agent/install/plugin.ts'
import { PLUGIN_NAMES as DELIVERED } from './tree.mjs'

test('the image and the packages bring the plugin under every name that the agent installs it by', () => {
  expect(INSTALLED.filter((name) => !DELIVERED.includes(name))).toEqual([])
})

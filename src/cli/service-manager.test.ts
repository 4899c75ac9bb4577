import { expect, test } from 'bun:test'
import type { ServiceManager } from '../linux/sd-notify.ts'
import { agentTeller, tellOfEnd } from './service-manager.ts'

const SERVES = { waitingFor: [], hasSwitch: true }
const WAITS = { waitingFor: ['Open vSwitch', 'its ranges'], hasSwitch: false }
const WAITS_WITH_SWITCH = { waitingFor: ['its ranges'], hasSwitch: true }

test('an agent serves once, and says what it waits for when that changes', () => {
  const told: string[] = []
  const tell = agentTeller(recorder(told, undefined), () => 0)
  for (const state of [WAITS, WAITS, WAITS_WITH_SWITCH, SERVES, SERVES, WAITS_WITH_SWITCH, SERVES]) tell(state)
  expect(told).toEqual([
    'status waiting for Open vSwitch; its ranges',
    'status waiting for its ranges',
    'status attaching pods',
    'ready',
    'status waiting for its ranges',
    'status attaching pods',
  ])
})

test('signs of life come as often as wanted, with the switch only', () => {
  const told: string[] = []
  let now = 0
  const tell = agentTeller(recorder(told, 1000), () => now)
  const at = (time: number, state: typeof SERVES | typeof WAITS): number => {
    now = time
    told.length = 0
    tell(state)
    return told.filter((one) => one === 'alive').length
  }
  expect([at(0, SERVES), at(500, SERVES), at(999, SERVES), at(1000, SERVES), at(1500, WAITS)]).toEqual([1, 0, 0, 1, 0])
  expect([at(9000, WAITS), at(9500, WAITS_WITH_SWITCH), at(9600, SERVES)]).toEqual([0, 1, 0])
})

test('the end is told when it begins, also when it had begun', () => {
  const told: string[] = []
  const ending = new AbortController()
  tellOfEnd(recorder(told, undefined), ending.signal)
  expect(told).toEqual([])
  ending.abort()
  tellOfEnd(recorder(told, undefined), ending.signal)
  expect(told.filter((one) => one === 'stopping')).toHaveLength(2)
})

function recorder(told: string[], watchdogMs: number | undefined): ServiceManager {
  return {
    watchdogMs,
    ready: () => void told.push('ready'),
    status: (text) => void told.push(`status ${text}`),
    alive: () => void told.push('alive'),
    stopping: () => void told.push('stopping'),
    close: () => void told.push('close'),
  }
}

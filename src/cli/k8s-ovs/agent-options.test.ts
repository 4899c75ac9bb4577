import { expect, test } from 'bun:test'
import { AGENT_DEFAULTS } from '../../agent/options.ts'
import { AGENT_SETTINGS } from '../../settings/agent-table.ts'
import { agentOptions } from './agent-options.ts'

test('without settings it is an agent of k8s-ovs’s documents', () => {
  expect(agentOptions({}, 'n')).toEqual({
    ...AGENT_DEFAULTS,
    node: 'n',
    datapath: 'system',
    cniConfigName: '80-k8s-ovs.conf',
  })
})

test('no setting of the agent is passed over', () => {
  const settings = Object.fromEntries(Object.keys(AGENT_SETTINGS).map((key) => [key, `value of ${key}`]))
  const options = agentOptions(settings as never, 'n')
  const others = Object.keys(AGENT_SETTINGS).filter((key) => key !== 'agent.node')
  expect(options).toMatchObject(Object.fromEntries(others.map((key) => [key.slice(6), `value of ${key}`])))
  expect(options.node).toBe('n')
})

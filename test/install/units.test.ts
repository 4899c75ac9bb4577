/** The units of deploy/systemd say what they should, as far as that shows without a systemd. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '../lab/command.ts'

const FOLDER = join(import.meta.dir, '../../deploy/systemd')
const NAMES = ['weft-agent', 'weft-controller', 'k8s-ovs', 'flanneld', 'weft-mesh'] as const
/** What the two units that run an agent are started with, and nothing else tells them apart. */
const OWN = ['EnvironmentFile', 'ExecStart', 'RestartSec']

test.each(NAMES)('%s is started when it serves, watched, started anew, and keeps its sockets’ folder', (name) => {
  const service = new Map(assignments(name))
  const expected = { Type: 'notify', Restart: 'always', RuntimeDirectoryPreserve: 'yes', TimeoutStartSec: 'infinity' }
  expect(Object.fromEntries(service)).toMatchObject({ ...expected, WatchdogSec: '90', NoNewPrivileges: 'yes' })
})

test('an agent has the same sandbox under both names', () => {
  const sandbox = (name: string): readonly (readonly [string, string])[] =>
    assignments(name).filter(([key]) => !OWN.includes(key))
  expect(sandbox('k8s-ovs')).toEqual([...sandbox('weft-agent')])
})

test('a variable may hold several flags, or none', () => {
  const started = assignments('k8s-ovs').find(([key]) => key === 'ExecStart')?.[1]
  const variables = ['ETCD_ENDPOINTS', 'ETCD_PREFIX', 'ETCD_CA_CERT_KEY', 'OPTIONS'].map((name) => `K8S_OVS_${name}`)
  for (const name of [...variables, 'HOSTNAME']) expect(started?.split(' ')).toContain(`$${name}`)
  const files = assignments('k8s-ovs').flatMap(([key, value]) => (key === 'EnvironmentFile' ? [value] : []))
  expect(files).toEqual(['-/etc/sysconfig/k8s-ovs', '-/etc/default/k8s-ovs'])
})

test.skipIf(Bun.which('systemd-analyze') === null).each(NAMES)(
  'systemd judges %s to be safe enough (apt-get install systemd)',
  async (name) => {
    const argv = [
      'systemd-analyze',
      'security',
      '--offline=yes',
      '--no-pager',
      '--threshold=40',
      join(FOLDER, `${name}.service`),
    ]
    expect(await output(argv)).toContain('Overall exposure level')
  },
)

/** The [Service] section's lines. */
function assignments(name: string): readonly (readonly [key: string, value: string])[] {
  const text = readFileSync(join(FOLDER, `${name}.service`), 'utf8')
  const [, section = ''] = /^\[Service\]\n(.*?)^\[/ms.exec(text) ?? []
  return section.split('\n').flatMap((line) => {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [[key, value] as const]
  })
}

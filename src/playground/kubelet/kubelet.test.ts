/** The kubelet on real namespaces and processes, with an API in memory and a plugin of sticks. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LEASES, NODES } from '../../kube/resources.ts'
import { addNamespace, inodeOf } from '../lab/namespaces.ts'
import { netnsPath, podNetns } from '../layout.ts'
import { isAlive } from '../processes.ts'
import { listSandboxes } from '../state.ts'
import { fields, list } from './read.ts'
import { Bench, FOREVER, shell } from './testing/bench.ts'

const PATIENCE = 30_000
setDefaultTimeout(PATIENCE)
const bench = new Bench()
beforeAll(async () => {
  await bench.up()
  bench.start()
}, PATIENCE)
afterAll(() => bench.down(), PATIENCE)

test('a node is registered, ready, and its lease is renewed', async () => {
  const node = () => fields(bench.api.all(NODES)[0])
  const condition = () => fields(list(fields(node()['status'])['conditions'])[0])
  await bench.until('the node is ready', () => condition()['status'] === 'True')
  expect(fields(node()['metadata'])['labels']).toMatchObject({ 'kubernetes.io/hostname': 'node1' })
  const renewed = () => fields(bench.api.all(LEASES)[0]?.['spec'])['renewTime']
  const first = renewed()
  await bench.until('the lease is renewed', () => first !== undefined && renewed() !== first)
  bench.fault('STATUS', 'fail', 50)
  await bench.until('the node is not ready', () => condition()['status'] === 'False')
  expect(condition()['message']).toContain('on purpose')
  bench.fault('STATUS', 'none')
  await bench.until('the node is ready again', () => condition()['status'] === 'True')
})

describe('containers that end', () => {
  test('are started again, later every time, with the log of the run before', async () => {
    await bench.create('crasher', { containers: [shell('echo run; exit 4')] })
    await bench.until('it waits', () => {
      const waiting = fields(fields(bench.container('crasher')['state'])['waiting'])
      return waiting['reason'] === 'CrashLoopBackOff' && Number(bench.container('crasher')['restartCount']) >= 1
    })
    expect(bench.container('crasher')).toMatchObject({ lastState: { terminated: { exitCode: 4, reason: 'Error' } } })
    expect(await bench.logs('crasher', { previous: true })).toBe('run\n')
    expect(bench.events('crasher').join('\n')).toContain('BackOff: ')
    await bench.delete('crasher')
    await bench.gone('crasher')
  })

  test.each([
    ['Never', 0, 'Succeeded'],
    ['Never', 1, 'Failed'],
    ['OnFailure', 0, 'Succeeded'],
  ])('with %s and exit code %d make the pod %s, which has no network then', async (restartPolicy, code, phase) => {
    const name = `once-${restartPolicy.toLowerCase()}-${code}`
    await bench.create(name, { restartPolicy, containers: [shell(`echo done; exit ${code}`)] })
    await bench.until(`it ${phase}`, () => bench.status(name)['phase'] === phase)
    await bench.until('its network is gone', () => !listSandboxes(bench.layout).some((each) => each.name === name))
    expect(await bench.logs(name)).toBe('done\n')
    expect(bench.container(name)).toMatchObject({ state: { terminated: { exitCode: code } }, restartCount: 0 })
  })

  test('a program that is not there is named', async () => {
    await bench.create('missing', { restartPolicy: 'Never', containers: [{ name: 'main', command: ['nonesuch'] }] })
    await bench.until('it failed', () => bench.status('missing')['phase'] === 'Failed')
    expect(bench.container('missing')).toMatchObject({ state: { terminated: { exitCode: 128, reason: 'StartError' } } })
    expect(bench.events('missing').join()).toContain('nonesuch')
  })

  test('init containers run first, in order', async () => {
    const init = (name: string) => ({ ...shell(`echo ${name}`), name })
    await bench.create('prepared', {
      initContainers: [init('one'), init('two')],
      containers: [shell(FOREVER)],
    })
    await bench.ready('prepared')
    const ends = list(bench.status('prepared')['initContainerStatuses']).map(
      (each) => fields(fields(each)['state'])['terminated'],
    )
    expect(ends).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }])
    expect(await bench.logs('prepared', { container: 'two' })).toBe('two\n')
  })

  test('a container ends with what watches over it, and is started again', async () => {
    await bench.create('watched', { containers: [shell(FOREVER)] })
    await bench.ready('watched')
    const folder = join(bench.node.dir, 'pods', bench.pod('watched')?.metadata.uid ?? '', 'main', '0')
    const pidIn = async (file: string) => Number((await Bun.file(join(folder, file)).text()).split(' ')[0])
    const program = await pidIn('init.pid')
    process.kill(await pidIn('supervisor.pid'), 'SIGKILL')
    await bench.until('it was restarted', () => Number(bench.container('watched')['restartCount']) === 1)
    expect(isAlive(program)).toBe(false)
    const lastState = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } }
    expect(bench.container('watched')).toMatchObject({ lastState })
  })

  test('a failing liveness probe has a container started again', async () => {
    const livenessProbe = { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 }
    await bench.create('unwell', { containers: [shell(FOREVER, { livenessProbe })], terminationGracePeriodSeconds: 5 })
    await bench.until('it was restarted', () => Number(bench.container('unwell')['restartCount']) >= 1)
    expect(bench.events('unwell').join('\n')).toContain('Unhealthy: Liveness probe failed: false: exit code 1')
    expect(bench.container('unwell')).toMatchObject({ lastState: { terminated: { exitCode: 0 } } })
  })

  test('a failing readiness probe takes a pod out, until it passes', async () => {
    const readinessProbe = { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1, failureThreshold: 1 }
    await bench.create('gated', { containers: [shell(FOREVER, { readinessProbe })] })
    await bench.until('it runs', () => bench.status('gated')['phase'] === 'Running')
    expect(bench.isReady('gated')).toBe(false)
    await bench.exec('gated', ['touch', '/tmp/ready'])
    await bench.ready('gated')
  })
})

describe('deletion', () => {
  test('gives programs their time', async () => {
    await bench.create('polite', {
      containers: [shell('trap "echo bye; sleep 0.3; exit 0" TERM; while :; do sleep 0.05; done')],
    })
    await bench.ready('polite')
    const netns = netnsPath(podNetns(bench.layout, 'test', 'polite'))
    const text = bench.logs('polite', { follow: true })
    await bench.delete('polite')
    expect(await text).toBe('bye\n')
    await bench.gone('polite')
    expect(inodeOf(netns)).toBeUndefined()
    expect(bench.events('polite').join('\n')).toContain('Killing: ')
  })

  test('ends those that do not listen', async () => {
    await bench.create('deaf', { containers: [shell('trap "" TERM; while :; do sleep 0.1; done')] })
    await bench.ready('deaf')
    await bench.delete('deaf', 1)
    await bench.gone('deaf')
  })

  test('is repeated until the plugin has done its part', async () => {
    await bench.create('stuck', { containers: [shell(FOREVER)] })
    await bench.ready('stuck')
    bench.fault('DEL', 'fail')
    await bench.delete('stuck', 1)
    await bench.until('it was told', () => bench.events('stuck').join().includes('FailedKillPod'))
    expect(bench.pod('stuck')).toBeDefined()
    bench.fault('DEL', 'none')
    await bench.gone('stuck')
  })
})

describe('a plugin', () => {
  test('that says no is told of, and asked again', async () => {
    bench.fault('ADD', 'fail')
    await bench.create('refused', { containers: [shell(FOREVER)] })
    await bench.until('it was told', () => bench.events('refused').join().includes('sticks ADD: on purpose'))
    bench.fault('ADD', 'none')
    await bench.ready('refused')
  })

  test('that asks for patience is not told of', async () => {
    bench.fault('ADD', 'fail', 11)
    await bench.create('patient', { containers: [shell(FOREVER)] })
    await Bun.sleep(300)
    bench.fault('ADD', 'none')
    await bench.ready('patient')
    expect(bench.events('patient').join()).not.toContain('FailedCreatePodSandBox')
  })

  test('that hangs is ended; a pod that goes meanwhile is not waited for', async () => {
    bench.fault('ADD', 'hang')
    await bench.create('hanging', { containers: [shell(FOREVER)] })
    await bench.until('the network is being made', () =>
      listSandboxes(bench.layout).some(({ name }) => name === 'hanging'),
    )
    await bench.delete('hanging', 1)
    await bench.gone('hanging')
    bench.fault('ADD', 'none')
    expect(listSandboxes(bench.layout).some(({ name }) => name === 'hanging')).toBe(false)
  })
})

test('a pod in the node’s network has the node’s address', async () => {
  await bench.create('host', { hostNetwork: true, containers: [shell(FOREVER)] })
  await bench.ready('host')
  expect(bench.status('host')).toMatchObject({ podIP: '10.99.0.1', hostIP: '10.99.0.1' })
  await bench.delete('host', 1)
  await bench.gone('host')
})

test('a network that goes from under a pod is made anew', async () => {
  await bench.create('uprooted', { containers: [shell(FOREVER)] })
  await bench.ready('uprooted')
  const before = bench.status('uprooted')['podIP']
  await Bun.$`ip netns del ${podNetns(bench.layout, 'test', 'uprooted')}`.quiet()
  await bench.until('it has another address', () => bench.status('uprooted')['podIP'] !== before)
  await bench.ready('uprooted')
})

test('a namespace that a killed kubelet had just made is in nobody’s way', async () => {
  addNamespace(bench.layout, podNetns(bench.layout, 'test', 'resumed'))
  await bench.create('resumed', { containers: [shell(FOREVER)] })
  await bench.ready('resumed')
})

test('pods survive their kubelet; the next one takes them over and clears the rest', async () => {
  await bench.create('survivor', { containers: [shell(`echo begun; ${FOREVER}`)] })
  await bench.create('orphan', { containers: [shell(FOREVER)] })
  await Promise.all([bench.ready('survivor'), bench.ready('orphan')])
  const orphan = bench.pod('orphan')
  const id = bench.container('survivor')['containerID']
  const events = bench.events('survivor')
  await bench.stop()
  const folder = join(bench.node.dir, 'pods', bench.pod('survivor')?.metadata.uid ?? '', 'main', '0')
  const pid = Number((await Bun.file(join(folder, 'init.pid')).text()).split(' ')[0])
  await bench.delete('orphan', 0)
  bench.start()
  await bench.until(
    'the orphan is cleared away',
    () => !listSandboxes(bench.layout).some(({ name }) => name === 'orphan'),
  )
  await bench.until(
    'its folder too',
    () => !readdirSync(join(bench.node.dir, 'pods')).includes(orphan?.metadata.uid ?? ''),
  )
  expect(isAlive(pid)).toBe(true)
  expect(bench.container('survivor')).toMatchObject({ containerID: id, restartCount: 0, ready: true })
  expect(bench.events('survivor')).toEqual(events)
  expect(await bench.logs('survivor')).toBe('begun\n')
})

test('what a killed kubelet ran goes on, until another one knows better', async () => {
  await bench.stop()
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'testing/killable.ts'), bench.folder], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  await child.stdout.getReader().read()
  child.kill('SIGKILL')
  await child.exited
  const record = listSandboxes(bench.layout).find(({ name }) => name === 'left')
  const folder = join(bench.node.dir, 'pods', record?.uid ?? '', 'main', '0')
  const pid = Number((await Bun.file(join(folder, 'init.pid')).text()).split(' ')[0])
  await Bun.sleep(100)
  expect(isAlive(pid)).toBe(true)
  expect(existsSync(join(folder, 'end.json'))).toBe(false)
  bench.start()
  await bench.until('it is cleared away', () => !listSandboxes(bench.layout).some(({ name }) => name === 'left'))
  expect(isAlive(pid)).toBe(false)
})

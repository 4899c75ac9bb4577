/** What is inside a pod: its program, its view of the machine, commands in it. On real namespaces and processes. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { companionRoot } from './programs.ts'
import { Bench, FOREVER, shell } from './testing/bench.ts'

const PATIENCE = 30_000
const ROOT = companionRoot()
setDefaultTimeout(PATIENCE)
const bench = new Bench()
beforeAll(async () => {
  await bench.up()
  bench.start()
}, PATIENCE)
afterAll(() => bench.down(), PATIENCE)

describe('a pod without a command', () => {
  beforeAll(async () => {
    const ports = [
      { containerPort: 8081, name: 'web' },
      { containerPort: 53, protocol: 'UDP' },
    ]
    const readinessProbe = { httpGet: { port: 'web', path: '/healthz' }, periodSeconds: 1 }
    await bench.create('server', { containers: [{ name: 'main', image: 'shown', ports, readinessProbe }] })
    await bench.ready('server')
  }, PATIENCE)

  test('has the addresses that its network gave it', () => {
    const status = bench.status('server')
    expect(status).toMatchObject({ phase: 'Running', hostIP: '10.99.0.1' })
    expect(status['podIP']).toMatch(/^10\.99\.\d+\.2$/)
    expect(bench.container('server')).toMatchObject({ ready: true, started: true, restartCount: 0, image: 'shown' })
    expect(bench.events('server').map((each) => each.split(':')[0])).toEqual(
      expect.arrayContaining(['Created', 'Started']),
    )
  })

  test('serves its ports and the table’s, and logs what it is asked', async () => {
    const address = bench.status('server')['podIP']
    for (const port of [8080, 8081]) {
      const { stdout } = await bench.exec('server', [
        'bash',
        '-c',
        `exec 3<>/dev/tcp/${address}/${port}; echo hi >&3; head -2 <&3`,
      ])
      expect(stdout).toBe(`test/server ${address} port=${/port=(\d+)/.exec(stdout)?.[1]} node=node1\nhi\n`)
    }
    const log = await bench.logs('server')
    expect(log).toContain('HTTP GET /healthz')
    expect(log).toContain(' TCP\n')
  })

  test('has a view of its own', async () => {
    const { stdout } = await bench.exec('server', [
      'sh',
      '-c',
      'hostname; cat /etc/resolv.conf; ls /proc | grep -c "^[0-9]"; ls /tmp',
    ])
    const [hostname, server, search, options, processes = '', ...tmp] = stdout.trim().split('\n')
    expect([hostname, server, options]).toEqual(['server', 'nameserver 172.30.0.10', 'options ndots:5'])
    expect(search).toBe('search test.svc.cluster.local svc.cluster.local cluster.local')
    expect(Number(processes)).toBeLessThan(8)
    // Empty, but for the way to this program where it lives below.
    expect(tmp).toEqual(ROOT.startsWith('/tmp/') ? [ROOT.split('/')[2] ?? ''] : [])
    expect((await bench.exec('server', ['touch', '/etc/here'])).code).not.toBe(0)
    // It would keep other pods' networks alive after their end.
    expect((await bench.exec('server', ['grep', '-c', 'nsfs', '/proc/self/mountinfo'])).stdout).toBe('0\n')
    expect((await bench.exec('server', ['ls', bench.layout.runDir])).stdout).toBe('')
    expect((await bench.exec('server', ['cat', '/etc/hosts'])).stdout).toContain(
      `${bench.status('server')['podIP']}\tserver\n`,
    )
  })
})

describe('exec', () => {
  beforeAll(async () => {
    await bench.create('shell', { containers: [shell(FOREVER, { env: [{ name: 'GREETING', value: 'hello' }] })] })
    await bench.ready('shell')
  }, PATIENCE)

  test('keeps output and errors apart, passes input, environment and exit code', async () => {
    const outcome = await bench.exec('shell', ['sh', '-c', 'cat; echo $GREETING; echo oops >&2; exit 3'], 'input\n')
    expect(outcome).toEqual({ code: 3, stdout: 'input\nhello\n', stderr: 'oops\n' })
  })

  test.each([
    ['a program that is not there', ['nonesuch'], 127],
    ['one that kills itself', ['sh', '-c', 'kill -9 $$'], 137],
  ])('tells of %s', async (_, command, code) => {
    expect((await bench.exec('shell', command)).code).toBe(code)
  })

  test('with a terminal: one stream, a size, keys', async () => {
    const pod = bench.pod('shell')
    if (pod === undefined) throw new Error('no pod')
    const all = { stdin: true, stdout: true, stderr: true, tty: true }
    const session = await bench.runtime.exec(pod, { command: ['bash', '--norc'], ...all })
    session.resize(101, 31)
    session.write(new TextEncoder().encode('stty size; tty >&2; exit 5\n'))
    const text = await new Response(session.stdout).text()
    expect(text).toContain('31 101')
    expect(text).toContain('/dev/pts/')
    expect(await session.exited).toBe(5)
  })

  test('ends what it started when its client goes', async () => {
    const pod = bench.pod('shell')
    if (pod === undefined) throw new Error('no pod')
    const options = { stdin: false, stdout: true, stderr: true, tty: false }
    const session = await bench.runtime.exec(pod, { command: ['sleep', '987'], ...options })
    // The pattern does not match the command line that holds it.
    const look = 'grep -las "sleep.98[7]" /proc/[0-9]*/cmdline | wc -l'
    const running = async () => (await bench.exec('shell', ['sh', '-c', look])).stdout.trim()
    while ((await running()) !== '1') await Bun.sleep(20)
    session.kill()
    await session.exited
    while ((await running()) !== '0') await Bun.sleep(20)
  })

  test('refuses what is not there', async () => {
    const pod = bench.pod('shell')
    if (pod === undefined) throw new Error('no pod')
    const options = { command: ['true'], stdin: false, stdout: true, stderr: true, tty: false }
    await expect(bench.runtime.exec(pod, { ...options, container: 'other' })).rejects.toMatchObject({ status: 400 })
  })
})

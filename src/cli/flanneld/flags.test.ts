import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { cidr, ip } from '../../network/model/address.ts'
import { FLAGS } from './flag-table.ts'
import { FORWARD_WORD, parseFlanneld } from './flags.ts'
import { parseMkDockerOpts, runMkDockerOpts } from './mk-docker-opts.ts'
import { startWords } from './start.ts'

const SEED = ['-etcd-endpoints=http://192.168.132.148:2379', '-etcd-prefix=/atomic.io/network']

describe('flanneld', () => {
  test('the seed’s command', () => {
    expect(parseFlanneld(SEED, {})).toMatchObject({
      does: 'run',
      leases: {
        kind: 'etcd',
        endpoints: 'http://192.168.132.148:2379',
        prefix: '/atomic.io/network',
        api: 'auto',
        renewMargin: 60,
      },
      subnetFile: '/run/flannel/subnet.env',
      ipMasq: false,
      forwardRules: true,
      fullyRandom: true,
      blackhole: false,
      guard: true,
      tunnelSources: [],
      filterInterval: 5,
      idle: [],
    })
  })

  test.each<[readonly string[], object]>([
    [['--etcd-prefix', 'x/y/'], { leases: { prefix: '/x/y' } }],
    [['-ip-masq'], { ipMasq: true }],
    [['--ip-masq=false'], { ipMasq: false }],
    [['--ip-masq=T', '--ip-masq-fully-random-disable'], { ipMasq: true, fullyRandom: false }],
    [
      ['--iface=eth0', '--iface', '192.0.2.1', '--iface-regex=^en'],
      { iface: ['eth0', '192.0.2.1'], ifaceRegex: ['^en'] },
    ],
    [['--public-ip=192.0.2.9'], { publicIp: ip('192.0.2.9') }],
    [['--public-ip='], { does: 'run' }],
    [
      ['--guard=false', '--tunnel-sources=192.0.2.0/24, 2001:db8::/64'],
      { guard: false, tunnelSources: [cidr('192.0.2.0/24'), cidr('2001:db8::/64')] },
    ],
    [['--healthz-port=8471'], { health: { address: '0.0.0.0', port: 8471 } }],
    [
      ['--kube-subnet-mgr'],
      { leases: { kind: 'kubernetes', annotationPrefix: 'flannel.alpha.coreos.com', setCondition: true } },
    ],
    [['--version'], { does: 'version' }],
    [['-h'], { does: 'help' }],
    [
      ['-v', '4', '--logtostderr'],
      { logLevel: 'debug', idle: [expect.stringContaining('--logtostderr changes nothing')] },
    ],
    [[FORWARD_WORD, '/run/x.sock'], { does: 'forward', socket: '/run/x.sock' }],
  ])('%j', (words, expected) => expect(parseFlanneld(words, {})).toMatchObject(expected))

  test('the environment counts where no flag does', () => {
    const env = { FLANNELD_ETCD_PREFIX: '/env', FLANNELD_IP_MASQ: 'true', FLANNELD_IFACE: 'eth0,eth1', FLANNELD_V: '' }
    expect(parseFlanneld([], env)).toMatchObject({ leases: { prefix: '/env' }, ipMasq: true, iface: ['eth0', 'eth1'] })
    expect(parseFlanneld(SEED, env)).toMatchObject({ leases: { prefix: '/atomic.io/network' } })
  })

  test('a password comes by the environment', () => {
    const env = { FLANNELD_ETCD_USERNAME: 'flannel', WEFT_ETCD_PASSWORD: 'secret' }
    expect(parseFlanneld([], env)).toMatchObject({ leases: { username: 'flannel', password: 'secret' } })
  })

  test.each<[readonly string[], string]>([
    [['--etcd-endpoint=x'], 'did you mean --etcd-endpoints?'],
    [['--etcd-prefix=/'], 'names no folder'],
    [['--iface'], 'needs a value'],
    [['--ip-masq', 'false'], 'a word that begins none'],
    [['--ip-masq=maybe'], 'true or false'],
    [['--subnet-lease-renew-margin=1440'], 'takes 1 to 1439'],
    [['--public-ip=fd00::1'], 'takes an IPv4 address'],
    [['--tunnel-sources=192.0.2.1'], 'takes networks'],
    [['--etcd-api=v4'], 'takes auto, v2 or v3'],
    [['hunter2'], 'a word that begins none'],
  ])('%j is refused: %s', (words, message) => {
    const told = () => {
      try {
        return JSON.stringify(parseFlanneld(words, {}))
      } catch (error) {
        const { message: cause, remedy } = error as Error & { readonly remedy: string }
        expect(error).toMatchObject({ code: 'CLI_USAGE' })
        return `${cause} ${remedy}`
      }
    }
    expect(told()).toContain(message)
    expect(told()).not.toContain('hunter2')
  })

  test('any words are a command or a mistake', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...Object.keys(FLAGS).map((name) => `--${name}`)))
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          parseFlanneld(words, {})
        } catch (error) {
          expect(error).toMatchObject({ code: 'CLI_USAGE' })
        }
      }),
    )
  })
})

describe('flanneld-start', () => {
  const seed = {
    FLANNEL_ETCD_ENDPOINTS: 'http://192.168.132.148:2379',
    FLANNEL_ETCD_PREFIX: '/atomic.io/network',
  }
  test.each<[object, readonly string[], readonly string[]]>([
    [seed, [], SEED],
    [{ FLANNEL_ETCD: 'http://192.168.132.148:2379', FLANNEL_ETCD_KEY: '/atomic.io/network' }, [], SEED],
    [{ ...seed, FLANNEL_OPTIONS: '--ip-masq --iface="eth 0"' }, [], [...SEED, '--ip-masq', '--iface=eth 0']],
    [{ ...seed, FLANNEL_OPTIONS: '--ip-masq' }, ['--ip-masq'], [...SEED, '--ip-masq']],
    [{}, [], []],
  ])('%j %j', (env, words, expected) => expect(startWords(words, { ...env })).toEqual([...expected]))
})

describe('mk-docker-opts.sh', () => {
  test('the seed’s switches', () => {
    expect(parseMkDockerOpts(['-k', 'DOCKER_NETWORK_OPTIONS', '-d', '/run/flannel/docker'])).toEqual({
      subnetFile: '/run/flannel/subnet.env',
      output: '/run/flannel/docker',
      key: 'DOCKER_NETWORK_OPTIONS',
      individual: false,
      combined: false,
      omitIpMasq: false,
    })
    expect(parseMkDockerOpts(['-cm'])).toMatchObject({
      combined: true,
      omitIpMasq: true,
      output: '/run/docker_opts.env',
    })
  })

  test.each<[readonly string[]]>([[['-x']], [['-k', 'A B']], [['-d']]])('%j is refused', (words) => {
    expect(() => parseMkDockerOpts(words)).toThrow()
  })

  test('a file without a subnet makes none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-docker-'))
    try {
      const [from, to] = [join(folder, 'subnet.env'), join(folder, 'made', 'docker')]
      writeFileSync(from, 'FLANNEL_MTU=1450\n')
      expect(await runMkDockerOpts(['-f', from, '-d', to])).toBe(2)
      expect(() => readFileSync(to)).toThrow()
      writeFileSync(from, 'FLANNEL_SUBNET=10.1.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n')
      expect(await runMkDockerOpts(['-f', from, '-d', to, '-k', 'DOCKER_NETWORK_OPTIONS'])).toBe(0)
      expect(readFileSync(to, 'utf8')).toContain(
        'DOCKER_NETWORK_OPTIONS=" --bip=10.1.7.1/24 --ip-masq=false --mtu=1450 "\n',
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

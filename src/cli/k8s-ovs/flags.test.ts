import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CliError } from '../errors.ts'
import { FLAGS, type Flag } from './flag-table.ts'
import { type K8sOvsRun, levelOf, parseK8sOvs } from './flags.ts'

const DEFAULTS: K8sOvsRun = {
  does: 'run',
  etcd: { endpoints: 'http://127.0.0.1:4001,http://127.0.0.1:2379' },
  layout: { prefix: '/k8s.ovs.com/ovs/network', network: '' },
  api: 'auto',
  logLevel: 'info',
  idle: [],
}
const STDERR = 'changes nothing: the log goes to standard error as a whole'

describe('what every flag becomes', () => {
  const etcd = (more: Partial<K8sOvsRun['etcd']>) => ({ etcd: { ...DEFAULTS.etcd, ...more } })
  const CASES: readonly (readonly [words: string, expected: Partial<K8sOvsRun>])[] = [
    ['', {}],
    ['--etcd-endpoints=http://192.0.2.1:2379', etcd({ endpoints: 'http://192.0.2.1:2379' })],
    ['-etcd-endpoints=http://192.0.2.1:2379', etcd({ endpoints: 'http://192.0.2.1:2379' })],
    ['--etcd-endpoints http://a:1,http://b:2', etcd({ endpoints: 'http://a:1,http://b:2' })],
    ['--etcd-endpoints=http://a:1 --etcd-endpoints=http://b:2', etcd({ endpoints: 'http://b:2' })],
    ['--etcd-endpoints=', {}],
    ['--etcd-prefix=/x', { layout: { prefix: '/x', network: '' } }],
    ['-network blue', { layout: { prefix: '/k8s.ovs.com/ovs/network', network: 'blue' } }],
    ['--etcd-cafile=/a --etcd-certfile=/b --etcd-keyfile=/c', etcd({ caFile: '/a', certFile: '/b', keyFile: '/c' })],
    ['--etcd-username=u --etcd-password=p=q', etcd({ username: 'u', password: 'p=q' })],
    ['--config=/etc/weft/weft.yaml', { config: '/etc/weft/weft.yaml' }],
    ['--etcd-username=u --etcd-password-file=/p', etcd({ username: 'u', passwordFile: '/p' })],
    ['--etcd-password=p --etcd-password-file=/p', etcd({ password: 'p' })],
    ['--etcd-api=v3', { api: 'v3' }],
    ['-etcd-api auto', {}],
    ['--hostname=Node1', { hostname: 'node1' }],
    ['--hostname -odd', { hostname: '-odd' }],
    ['--kubeconfig=/k --context=c', { kubeconfig: '/k', context: 'c' }],
    ['--server=http://192.0.2.1:8080', { server: 'http://192.0.2.1:8080' }],
    ['-s 192.0.2.1:8080', { server: '192.0.2.1:8080' }],
    ['--v=5', { logLevel: 'debug' }],
    ['-v 5', { logLevel: 'debug' }],
    ['-v=0', { logLevel: 'info' }],
    ['--v 10', { logLevel: 'trace' }],
    ['--alsologtostderr', { idle: [`--alsologtostderr ${STDERR}`] }],
    ['--logtostderr=true --v=5', { logLevel: 'debug', idle: [`--logtostderr ${STDERR}`] }],
    ['-logtostderr=false', { idle: [`--logtostderr ${STDERR}`] }],
    ['--stderrthreshold=ERROR', { idle: [`--stderrthreshold ${STDERR}`] }],
    ['--stderrthreshold 2', { idle: [`--stderrthreshold ${STDERR}`] }],
    ['--log_dir=/tmp', { idle: [`--log_dir ${STDERR}`] }],
    ['--log_backtrace_at=a.go:12', { idle: [`--log_backtrace_at ${STDERR}`] }],
    ['--vmodule=node=4,ovs*=5', { idle: ['--vmodule changes nothing: there are no files of Go here'] }],
    [
      '--docker-endpoints=unix:///var/run/docker.sock',
      { idle: ['--docker-endpoints changes nothing: Docker is not asked: runtimes say what Weft needs'] },
    ],
    ['-n kube-system', { idle: ['--namespace changes nothing: it is about single requests of kubectl'] }],
    ['--version=false --help=0', {}],
    ['--alsologtostderr --version=false', { idle: [`--alsologtostderr ${STDERR}`] }],
  ]
  test.each(CASES)('%j', (words, expected) => {
    expect(parse(words)).toEqual({ ...DEFAULTS, ...expected })
  })

  test.each([
    ['--version', 'version'],
    ['-version', 'version'],
    ['--etcd-prefix=/x --version=T', 'version'],
    ['--help', 'help'],
    ['-h', 'help'],
  ])('%j', (words, does) => expect(parse(words)).toEqual({ does }))

  test('every flag that is meant or idle stands in a case above', () => {
    const cases = CASES.map(([words]) => ` ${words}`).join('')
    const named = [...cases.matchAll(/ --?([^ =]+)/g)].map(([, name]) => name)
    const accepted = Object.entries<Flag>(FLAGS).filter(([, { fate }]) => fate !== 'refused')
    // These stand there under their letter, or are about kubectl alike.
    const alike = ['namespace', 'request-timeout', 'api-version', 'match-server-version']
    expect(accepted.map(([name]) => name).filter((name) => !named.includes(name) && !alike.includes(name))).toEqual([])
  })
})

test.each([
  ['--etcd-endpoint=http://a:1', 'did you mean --etcd-endpoints?'],
  ['--etcd_prefix=/x', 'did you mean --etcd-prefix?'],
  ['--Hostname=a', 'did you mean --hostname?'],
  ['--frobnicate', '`k8s-ovs --help` lists the flags'],
  ['--toString', '`k8s-ovs --help` lists the flags'],
  ['-v5', 'did you mean --v?'],
])('%j is unknown: %s', (words, remedy) => {
  expect(failure(words)).toMatchObject({ code: 'CLI_USAGE', remedy })
})

test.each([
  ['--etcd-endpoints', 'needs a value'],
  ['--v=much', 'takes a number'],
  ['--v=-1', 'takes a number'],
  ['--etcd-api=v4', 'takes auto, v2 or v3'],
  ['--stderrthreshold=LOUD', 'takes INFO, WARNING, ERROR or FATAL'],
  ['--vmodule=x', 'takes pattern=number'],
  ['--logtostderr=yes', 'takes true or false'],
  ['--alsologtostderr true', 'takes flags only'],
  ['node1', 'takes flags only'],
  ['--', 'takes flags only'],
  ['-', 'takes flags only'],
  ['--=x', 'takes flags only'],
  ['---v=5', 'takes flags only'],
])('%j is refused: %s', (words, message) => {
  expect(failure(words).message).toContain(message)
})

test.each(['token', 'password', 'username', 'client-key', 'user', 'insecure-skip-tls-verify'])(
  'kubectl’s --%s belongs into a kubeconfig, and its value is not repeated',
  (name) => {
    const error = failure(`--${name}=s3cr3t`)
    expect(error.remedy).toContain('--kubeconfig')
    expect(`${error.message} ${error.remedy}`).not.toContain('s3cr3t')
  },
)

test('a password can stand in the environment; the flag wins, an empty one is none', () => {
  const password = (words: string, value: string): string | undefined => {
    const command = parseK8sOvs(words.split(' '), { WEFT_ETCD_PASSWORD: value })
    return command.does === 'run' ? command.etcd.password : 'no run'
  }
  expect(password('--etcd-username=u', 'hidden')).toBe('hidden')
  expect(password('--etcd-password=seen', 'hidden')).toBe('seen')
  expect(password('--etcd-username=u --etcd-password=', 'hidden')).toBe('hidden')
  expect(password('--hostname=a', 'hidden')).toBeUndefined()
  expect(password('--etcd-username=u', '')).toBeUndefined()
})

test('glog’s verbosity as a level', () => {
  expect([0, 1, 3, 4, 5, 6, 100].map(levelOf)).toEqual(['info', 'info', 'info', 'debug', 'debug', 'trace', 'trace'])
})

test('any words are a command or an error of usage', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom(...Object.keys(FLAGS).map((name) => `--${name}`)))
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        parseK8sOvs(words, {})
      } catch (error) {
        expect(error).toBeInstanceOf(CliError)
      }
    }),
  )
})

function parse(words: string): unknown {
  return parseK8sOvs(
    words.split(' ').filter((word) => word !== ''),
    {},
  )
}

function failure(words: string): CliError {
  try {
    parse(words)
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error(`${words} was accepted`)
}

import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { KubeConfig } from './config.ts'
import { KubeError } from './errors.ts'
import { loadKubeconfig, loadServiceAccount } from './kubeconfig.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const SECRET = 's3cr3t-s3cr3t-s3cr3t'
const KEY = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`
const EXEC = 'client.authentication.k8s.io/v1'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const whole = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'main',
  contexts: [
    { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
    { name: 'anonymous', context: { cluster: 'c' } },
    { name: 'dangling', context: { cluster: 'other' } },
  ],
  clusters: [{ name: 'c', cluster: { server: 'https://192.0.2.1:6443/', 'certificate-authority-data': base64(PEM) } }],
  users: [{ name: 'u', user: { token: SECRET } }],
}

function write(content: unknown, name = 'config'): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const execUser = (exec: object) =>
  withUser({ exec: { apiVersion: EXEC, command: 'give-token', interactiveMode: 'Never', ...exec } })
const withUser = (user: object) => ({ ...whole, users: [{ name: 'u', user }] })
const withCluster = (cluster: object) => ({ ...whole, clusters: [{ name: 'c', cluster }] })

describe('a kubeconfig', () => {
  test('gives server, authority, namespace and token', () => {
    const config = loadKubeconfig(write(whole), {})
    expect(config).toMatchObject({ server: 'https://192.0.2.1:6443', namespace: 'shop', ca: PEM })
    expect(config.credentials?.()).toEqual({ token: SECRET })
    expect(Bun.inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain(SECRET)
  })

  test('may be YAML, as people write it', () => {
    const yaml = `
current-context: main
contexts:
- name: main
  context: {cluster: c, user: u}
clusters:
- name: c
  cluster:
    server: https://api.example.test/prefix/
    insecure-skip-tls-verify: true
    tls-server-name: kubernetes
users:
- name: u
  user:
    client-certificate-data: ${base64(PEM)}
    client-key-data: ${base64(KEY)}
`
    const config = loadKubeconfig(write(yaml), {})
    expect(config).toMatchObject({
      server: 'https://api.example.test/prefix',
      insecure: true,
      serverName: 'kubernetes',
    })
    expect(config.credentials?.()).toEqual({ cert: PEM, key: KEY })
  })

  test('names files from its own folder', () => {
    mkdirSync(join(folder, 'deep'))
    for (const [name, text] of [
      ['ca.pem', PEM],
      ['crt.pem', PEM],
      ['key.pem', KEY],
      ['token', SECRET],
    ] as const) {
      writeFileSync(join(folder, 'deep', name), text)
    }
    const user = { 'client-certificate': 'crt.pem', 'client-key': './key.pem', tokenFile: 'token', token: 'another' }
    const cluster = { server: 'https://a.test', 'certificate-authority': 'ca.pem' }
    const config = loadKubeconfig(
      write({ ...withUser(user), clusters: withCluster(cluster).clusters }, 'deep/config'),
      {},
    )
    const at = (name: string): string => join(folder, 'deep', name)
    expect(config).toMatchObject({
      caFile: at('ca.pem'),
      tokenFile: at('token'),
      certificateFiles: { cert: at('crt.pem'), key: at('key.pem') },
    })
    expect(config.credentials?.()).toEqual({})
  })

  test('may be half a file: a certificate beside the text of its key', () => {
    writeFileSync(join(folder, 'crt.pem'), PEM)
    const user = { 'client-certificate': 'crt.pem', 'client-key-data': base64(KEY) }
    expect(loadKubeconfig(write(withUser(user)), {}).credentials?.()).toEqual({ cert: PEM, key: KEY })
  })

  test('is several files that KUBECONFIG names: the first one to say something counts', () => {
    mkdirSync(join(folder, 'second'))
    writeFileSync(join(folder, 'second', 'token'), SECRET)
    const first = write(
      { clusters: withCluster({ server: 'https://a.test' }).clusters, contexts: whole.contexts, users: null },
      'first',
    )
    const second = write(
      {
        ...withUser({ tokenFile: 'token' }),
        clusters: withCluster({ server: 'https://b.test', 'tls-server-name': 'x' }).clusters,
      },
      'second/config',
    )
    const KUBECONFIG = `:${first}:${join(folder, 'missing')}::${second}`
    const config = loadKubeconfig(undefined, { KUBECONFIG })
    expect(config).toMatchObject({ server: 'https://a.test', namespace: 'shop' })
    expect(config.serverName).toBeUndefined()
    expect(config.tokenFile).toBe(join(folder, 'second', 'token'))
    expect(failureOf(() => loadKubeconfig(undefined, { KUBECONFIG: `${first}:${write('x: {', 'broken')}` }))).toContain(
      'no YAML',
    )
    expect(failureOf(() => loadKubeconfig(undefined, { KUBECONFIG: join(folder, 'missing') }))).toContain('ENOENT')
  })

  const refusals: readonly (readonly [string, unknown, string])[] = [
    ['garbage', `{"token": "${SECRET}`, 'no YAML'],
    ['a token where none belongs', `users:\n- user: {token: ${SECRET}\n: }{`, 'no YAML'],
    ['a bomb of aliases', bomb(), 'no YAML'],
    ['a list', [whole], 'is not what a kubeconfig holds'],
    ['nothing', '', 'is not what a kubeconfig holds'],
    ['no context', { ...whole, 'current-context': '' }, 'no current context'],
    ['an unknown context', { ...whole, 'current-context': 'x' }, 'no context x'],
    ['a number for a context', { ...whole, 'current-context': 7 }, 'current-context of the kubeconfig is no text'],
    ['a context that is a list', { ...whole, contexts: [{ name: 'main', context: [] }] }, 'context main'],
    ['an unknown user', { ...whole, users: [] }, 'no user u'],
    ['no server', withCluster({}), 'no server'],
    ['a server that is none', withCluster({ server: `ftp://${SECRET}` }), 'no https URL'],
    ['a password in the address', withCluster({ server: `https://a:${SECRET}@b.test` }), 'no https URL'],
    ['a token over plain http', withCluster({ server: 'http://192.0.2.1' }), 'over plain http'],
    ['a proxy of another kind', withCluster({ server: 'https://a', 'proxy-url': `socks5://${SECRET}@b` }), 'proxy'],
    ['an authority that is none', withCluster({ server: 'https://a', 'certificate-authority-data': 'eA==' }), 'no PEM'],
    ['an authority that is not there', withCluster({ server: 'https://a', 'certificate-authority': 'x' }), 'ENOENT'],
    [
      'an authority that is not looked at',
      withCluster({ server: 'https://a', 'certificate-authority-data': base64(PEM), 'insecure-skip-tls-verify': true }),
      'skips its check',
    ],
    ['half a client certificate', withUser({ 'client-key-data': base64(KEY) }), 'half of a client certificate'],
    ['a token of two lines', withUser({ token: `${SECRET}\r\nx: y` }), 'a token that is none'],
    ['exec without a version', withUser({ exec: { command: 'x', args: [SECRET] } }), 'no apiVersion'],
    [
      'exec of an old version',
      execUser({ apiVersion: 'client.authentication.k8s.io/v1alpha1' }),
      'a version that is not',
    ],
    ['exec without a command', execUser({ command: '' }), 'no command'],
    ['exec that does not say whom it asks', execUser({ interactiveMode: undefined }), 'no interactiveMode'],
    ['exec with a mode that is none', execUser({ interactiveMode: SECRET }), 'no interactiveMode'],
    ['exec with an argument that is none', execUser({ args: [SECRET, 7] }), 'an argument that is no text'],
    ['exec with arguments that are none', execUser({ args: SECRET }), 'args of exec of user u is no list'],
    ['exec with an environment that is none', execUser({ env: [{ name: `A=${SECRET}` }] }), 'an env entry'],
    ['exec beside a token', withUser({ token: SECRET, exec: { command: 'x' } }), 'both exec and token'],
    [
      'exec over plain http',
      { ...execUser({}), clusters: withCluster({ server: 'http://192.0.2.1' }).clusters },
      'http',
    ],
    ['auth-provider', withUser({ 'auth-provider': { config: { 'access-token': SECRET } } }), 'uses auth-provider'],
    ['a password', withUser({ username: 'u', password: SECRET }), 'uses username'],
    ['impersonation', withUser({ token: SECRET, as: 'x' }), 'uses as'],
  ]
  test.each(refusals)('with %s is refused, without a secret in the refusal', (_, content, sentence) => {
    const said = failureOf(() => loadKubeconfig(write(content), {}))
    expect(said).toContain(sentence)
    expect(said).not.toContain(SECRET)
  })

  test('that is anything at all is read or refused', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ 'current-context': fc.constant('main'), contexts: fc.jsonValue(), clusters: fc.jsonValue() })
        .map((v) => JSON.stringify(v)),
    )
    fc.assert(
      fc.property(anything, (content) => {
        expect(failureOf(() => loadKubeconfig(write(content), {}))).toContain('KUBE_CONFIG')
      }),
    )
  })
})

describe('an exec plugin', () => {
  const pluginOf = (config: KubeConfig) => config.exec?.()

  test('is read as client-go reads it', () => {
    const exec = { command: './bin/give', args: ['a', 'b'], env: [{ name: 'A', value: SECRET }, { name: 'B' }] }
    const config = loadKubeconfig(write(execUser({ ...exec, installHint: 'get it' })), {})
    expect(pluginOf(config)).toEqual({
      apiVersion: EXEC,
      command: join(folder, 'bin/give'),
      args: ['a', 'b'],
      env: { A: SECRET, B: '' },
      interactiveMode: 'Never',
      installHint: 'get it',
    })
    expect(Bun.inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain(SECRET)
    const old = { apiVersion: 'client.authentication.k8s.io/v1beta1', interactiveMode: undefined }
    expect(pluginOf(loadKubeconfig(write(execUser(old)), {}))).toMatchObject({
      command: 'give-token',
      interactiveMode: 'IfAvailable',
    })
  })

  test('is told of the server where it asks for it', () => {
    const extensions = [
      { name: 'other', extension: 1 },
      { name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } },
    ]
    const cluster = {
      server: 'https://a.test/',
      'certificate-authority-data': base64(PEM),
      'tls-server-name': 'k',
      'proxy-url': 'http://p.test:3128',
    }
    const content = {
      ...execUser({ provideClusterInfo: true }),
      clusters: withCluster({ ...cluster, extensions }).clusters,
    }
    const config = loadKubeconfig(write(content), {})
    expect(pluginOf(config)?.cluster).toEqual({ ...cluster, server: 'https://a.test', config: { audience: 'x' } })
    expect(config.proxy?.()).toBe('http://p.test:3128')
  })
})

describe('without a kubeconfig', () => {
  const account = join(folder, 'account')
  mkdirSync(account)
  writeFileSync(join(account, 'ca.crt'), PEM)
  writeFileSync(join(account, 'token'), SECRET)

  test('the first that is there counts', () => {
    const KUBECONFIG = write(whole)
    const KUBERNETES_MASTER = '192.0.2.7:8080'
    expect(loadKubeconfig(undefined, { KUBECONFIG, KUBERNETES_MASTER }, 'anonymous')).toMatchObject({
      server: 'https://192.0.2.1:6443',
    })
    const env = { KUBECONFIG: '', KUBERNETES_MASTER, KUBERNETES_SERVICE_HOST: '192.0.2.9' }
    expect(loadKubeconfig(undefined, env).server).toBe('http://192.0.2.7:8080')
    const said = failureOf(() => loadKubeconfig(undefined, {}))
    for (const place of ['--kubeconfig', 'KUBECONFIG', 'KUBERNETES_MASTER', 'in a pod']) expect(said).toContain(place)
  })

  test('a pod finds its account mounted', () => {
    const env = { KUBERNETES_SERVICE_HOST: 'fd02::1', KUBERNETES_SERVICE_PORT: '6443' }
    const config = loadServiceAccount(env, account)
    const files = { caFile: `${account}/ca.crt`, tokenFile: `${account}/token` }
    expect(config).toMatchObject({ server: 'https://[fd02::1]:6443', ...files })
    expect(config.namespace).toBeUndefined()
    writeFileSync(join(account, 'namespace'), 'kube-system\n')
    expect(loadServiceAccount(env, account).namespace).toBe('kube-system')
    expect(failureOf(() => loadServiceAccount(env, join(folder, 'nowhere')))).toContain('ENOENT')
    expect(failureOf(() => loadServiceAccount({}, account))).toContain('KUBERNETES_SERVICE_HOST')
  })
})

function failureOf(load: () => unknown): string {
  try {
    load()
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    return `${error.code} ${error.message} ${error.remedy} ${Bun.inspect(error)}`
  }
  return 'nothing failed'
}

function bomb(): string {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (let i = 1; i < 9; i += 1) {
    const [name, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)]
    lines.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`)
  }
  return lines.join('\n')
}

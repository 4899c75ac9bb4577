import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { KubeError } from './errors.ts'
import { loadKubeconfig, loadServiceAccount } from './kubeconfig.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const SECRET = 's3cr3t-s3cr3t-s3cr3t'
const KEY = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`
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

const withUser = (user: object) => ({ ...whole, users: [{ name: 'u', user }] })
const withCluster = (cluster: object) => ({ ...whole, clusters: [{ name: 'c', cluster }] })

describe('a kubeconfig', () => {
  test('gives server, authority, namespace and token', () => {
    const config = loadKubeconfig(write(whole), {})
    expect(config).toMatchObject({ server: 'https://192.0.2.1:6443', namespace: 'shop', ca: PEM })
    expect(config.credentials()).toEqual({ token: SECRET })
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
    expect(config.credentials()).toEqual({ cert: PEM, key: KEY })
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
    expect(config).toMatchObject({ ca: PEM, tokenFile: join(folder, 'deep', 'token') })
    expect(config.credentials()).toEqual({ cert: PEM, key: KEY })
  })

  test('is found by KUBECONFIG, and its context chosen', () => {
    const KUBECONFIG = write(whole)
    expect(loadKubeconfig(undefined, { KUBECONFIG }, 'anonymous').credentials()).toEqual({})
    expect(failureOf(() => loadKubeconfig(undefined, {}))).toContain('there is no kubeconfig')
    expect(failureOf(() => loadKubeconfig(undefined, { KUBECONFIG: `${KUBECONFIG}:b` }))).toContain('several files')
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
    ['a proxy', withCluster({ server: 'https://a', 'proxy-url': 'http://b' }), 'proxy'],
    ['an authority that is none', withCluster({ server: 'https://a', 'certificate-authority-data': 'eA==' }), 'no PEM'],
    ['an authority that is not there', withCluster({ server: 'https://a', 'certificate-authority': 'x' }), 'ENOENT'],
    [
      'an authority that is not looked at',
      withCluster({ server: 'https://a', 'certificate-authority-data': base64(PEM), 'insecure-skip-tls-verify': true }),
      'skips its check',
    ],
    ['half a client certificate', withUser({ 'client-key-data': base64(KEY) }), 'half of a client certificate'],
    ['a token of two lines', withUser({ token: `${SECRET}\r\nx: y` }), 'a token that is none'],
    ['exec', withUser({ exec: { command: 'x', env: [{ name: 'A', value: SECRET }] } }), 'uses exec'],
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

test('a pod finds its account mounted', () => {
  writeFileSync(join(folder, 'ca.crt'), PEM)
  const env = { KUBERNETES_SERVICE_HOST: 'fd02::1', KUBERNETES_SERVICE_PORT: '6443' }
  const config = loadServiceAccount(env, folder)
  expect(config).toMatchObject({ server: 'https://[fd02::1]:6443', ca: PEM, tokenFile: `${folder}/token` })
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

import { describe, expect, test } from 'bun:test'
import { keystoneAddress, neutronAddress } from './address.ts'
import { cloudConfig } from './cloud.ts'
import type { Identity, Scope } from './model.ts'
import type { Settings } from './settings.ts'

const BASE: Settings = {
  authUrl: 'https://cloud.example:5000/v3',
  username: 'cni',
  password: 'secret',
  projectName: 'k8s',
}
const FILES: Readonly<Record<string, string>> = {
  '/ca.pem': '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
  '/client.pem':
    '-----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nCC\n-----END PRIVATE KEY-----\n',
  '/note.txt': 'no PEM, but my-own-password',
}

function cloud(settings: Settings) {
  return cloudConfig(settings, { from: 'the test', readFile: (path) => FILES[path] ?? '' })
}

test.each([
  ['http://10.125.224.21:35357/v3', 'http://10.125.224.21:35357/v3', false],
  ['http://10.125.224.21:35357/v3/', 'http://10.125.224.21:35357/v3', false],
  ['http://10.33.74.255:5000/v2.0', 'http://10.33.74.255:5000/v3', true],
  ['http://10.33.74.255:5000/v2.0/', 'http://10.33.74.255:5000/v3', true],
  ['https://cloud.example/identity', 'https://cloud.example/identity/v3', false],
  ['https://cloud.example/identity/v3', 'https://cloud.example/identity/v3', false],
  ['https://cloud.example:5000', 'https://cloud.example:5000/v3', false],
  ['http://[2001:db8::1]:5000/', 'http://[2001:db8::1]:5000/v3', false],
])('the auth URL %s is %s', (text, url, wasV2) => {
  expect(keystoneAddress(text)).toEqual({ url, wasV2 })
})

test.each([
  ['http://127.0.0.1:9696', 'http://127.0.0.1:9696/v2.0'],
  ['http://127.0.0.1:9696/', 'http://127.0.0.1:9696/v2.0'],
  ['https://cloud.example/network/v2.0', 'https://cloud.example/network/v2.0'],
])('Neutron at %s is asked at %s', (text, url) => {
  expect(neutronAddress(text)).toBe(url)
})

describe('who we are', () => {
  test.each<[string, Settings, Partial<Identity>, Scope]>([
    [
      'user, project and no domain',
      BASE,
      { kind: 'password', user: { name: 'cni', domain: { id: 'default' } } },
      { kind: 'project', name: 'k8s', domain: { id: 'default' } },
    ],
    [
      'domains by name',
      { ...BASE, userDomainName: 'Default', projectDomainName: 'Other' },
      { kind: 'password', user: { name: 'cni', domain: { name: 'Default' } } },
      { kind: 'project', name: 'k8s', domain: { name: 'Other' } },
    ],
    [
      'everything by ID',
      { ...BASE, userId: 'u1', projectId: 'p1', userDomainId: 'd1' },
      { kind: 'password', user: { id: 'u1' } },
      { kind: 'project', id: 'p1' },
    ],
    [
      'a domain to begin with',
      { ...BASE, defaultDomain: 'abc' },
      { kind: 'password', user: { name: 'cni', domain: { id: 'abc' } } },
      { kind: 'project', name: 'k8s', domain: { id: 'abc' } },
    ],
    [
      'an application credential by ID',
      { authUrl: BASE.authUrl ?? '', credentialId: 'c1', credentialSecret: 's' },
      { kind: 'application-credential', id: 'c1' },
      { kind: 'own' },
    ],
    [
      'an application credential by name',
      { ...BASE, authType: 'v3applicationcredential', credentialName: 'cni', credentialSecret: 's' },
      { kind: 'application-credential', name: 'cni', user: { name: 'cni', domain: { id: 'default' } } },
      { kind: 'own' },
    ],
    [
      'a token',
      { authUrl: BASE.authUrl ?? '', token: 't', projectId: 'p' },
      { kind: 'token' },
      { kind: 'project', id: 'p' },
    ],
    [
      'a domain',
      { authUrl: BASE.authUrl ?? '', username: 'a', password: 'b', domainName: 'D' },
      { kind: 'password', user: { name: 'a', domain: { name: 'D' } } },
      { kind: 'domain', domain: { name: 'D' } },
    ],
    [
      'the system',
      { authUrl: BASE.authUrl ?? '', username: 'a', password: 'b', systemScope: 'all' },
      { kind: 'password', user: { name: 'a', domain: { id: 'default' } } },
      { kind: 'system' },
    ],
  ])('%s', (_, settings, identity, scope) => {
    const config = cloud(settings)
    expect(config.identity).toEqual(expect.objectContaining(identity))
    expect(config.scope).toEqual(scope)
  })
})

test('certificates come from files, and the check of them can be switched off', () => {
  expect(cloud({ ...BASE, caFile: '/ca.pem' }).tls).toEqual({ ca: FILES['/ca.pem'] ?? '', verify: true })
  expect(cloud({ ...BASE, certFile: '/client.pem' }).tls.key?.reveal()).toContain('PRIVATE KEY')
  expect(cloud({ ...BASE, insecure: 'true' }).tls.verify).toBe(false)
  expect(cloud({ ...BASE, verify: 'False' }).tls.verify).toBe(false)
})

test.each<[string, Settings, RegExp]>([
  [
    'v2.0',
    { ...BASE, authUrl: 'https://cloud.example:5000/v2.0' },
    /^Keystone's v2\.0 is gone; v3 at https:.* asked instead/,
  ],
  ['version 2', { ...BASE, apiVersion: '2.0' }, /^Keystone's v2\.0 is gone/],
  ['http', { ...BASE, authUrl: 'http://cloud.example:5000/v3' }, /is not https/],
  ['no check of certificates', { ...BASE, insecure: '1' }, /Certificates are not checked/],
])('%s is warned about', (_, settings, warning) => {
  expect(cloud(settings).warnings.join('\n')).toMatch(warning)
})

test('a good configuration has no warning', () => {
  expect(cloud({ ...BASE, apiVersion: '3' }).warnings).toEqual([])
})

test.each<[string, Settings, string]>([
  ['nothing', {}, 'the auth URL is missing in the test'],
  ['no project', { authUrl: 'https://a/v3', username: 'u', password: 'p' }, 'the project is missing in the test'],
  ['no password', { authUrl: 'https://a/v3', username: 'u', projectName: 'p' }, 'the password is missing in the test'],
  ['no user', { authUrl: 'https://a/v3', password: 'u', projectName: 'p' }, 'the user is missing in the test'],
  [
    'half a credential',
    { authUrl: 'https://a/v3', credentialId: 'c' },
    "the application credential's secret is missing in the test",
  ],
  [
    'an unknown way',
    { ...BASE, authType: 'v3oidcpassword' },
    'the test asks for a way of authentication that is not supported',
  ],
  ['no URL', { ...BASE, authUrl: 'cloud:my-own-password' }, 'the auth URL is no http or https address'],
  [
    'a password in the URL',
    { ...BASE, authUrl: 'https://u:my-own-password@cloud/v3' },
    'the auth URL has a user in it',
  ],
  ['an unknown interface', { ...BASE, interface: 'outside' }, 'the test names an interface that there is not'],
  ['no PEM', { ...BASE, caFile: '/note.txt' }, "the authority's certificate /note.txt is not PEM"],
  ['an ID that is a path', { ...BASE, projectId: '../my-own-password' }, 'the project in the test is no ID'],
  ['a line end', { ...BASE, username: 'a\nb' }, 'the user in the test has characters that cannot be sent'],
])('%s is refused in words', (_, settings, message) => {
  const error = thrown(() => cloud(settings))
  expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_CONFIG', message }))
  expect(error.remedy).not.toBe('')
  expect(`${error.message} ${error.remedy}`).not.toContain('my-own-password')
})

test('no secret of a configuration is printed, nor a key that is in the file of its certificate', () => {
  const config = cloud({ ...BASE, password: 'zebra-hornet', certFile: '/client.pem' })
  const printed = [JSON.stringify(config), Bun.inspect(config, { depth: 9 }), String(config.identity)].join('\n')
  expect(printed).not.toMatch(/zebra|hornet|PRIVATE KEY/)
  expect(printed).toContain('[secret]')
})

function thrown(act: () => unknown): { readonly code: string; readonly message: string; readonly remedy: string } {
  try {
    act()
  } catch (error) {
    return error as ReturnType<typeof thrown>
  }
  throw new Error('nothing was thrown')
}

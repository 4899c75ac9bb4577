/** Every form of configuration that people have. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cloudConfig } from './cloud.ts'
import { cloudInFiles } from './clouds-yaml.ts'
import { decryptLegacyPassword } from './legacy-password.ts'
import { loadCloud, loadNetconfCloud, loadOpenrc } from './load.ts'
import { netconfCloud } from './netconf.ts'
import { parseOpenrc } from './openrc.ts'
import { settingsInEnvironment } from './settings.ts'

const SECRET = 'zebra-hornet'
const CLOUDS = `
clouds:
  prod:
    auth:
      auth_url: https://cloud.example:5000/v3
      username: cni
      project_name: k8s
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionTwo
    interface: internal
    identity_api_version: 3
  old:
    auth: { auth_url: 'https://old.example:5000/v2.0', username: demo, password: 12345, tenant_id: abc }
    regions: [{ name: One }, { name: Two }]
    verify: false
`
const SECURE = `{ clouds: { prod: { auth: { password: ${SECRET} } } } }`

describe('clouds.yaml', () => {
  test('secure.yaml is laid over it, from another folder', () => {
    const found = inFiles(
      { '/etc/openstack/clouds.yaml': CLOUDS, '/root/.config/openstack/secure.yaml': SECURE },
      'prod',
    )
    expect(found).toEqual({
      from: 'cloud prod in /etc/openstack/clouds.yaml',
      settings: {
        authUrl: 'https://cloud.example:5000/v3',
        username: 'cni',
        password: SECRET,
        userDomainName: 'Default',
        projectDomainName: 'Default',
        projectName: 'k8s',
        region: 'RegionTwo',
        interface: 'internal',
        apiVersion: '3',
      },
    })
  })

  test('old names, numbers and lists of regions are understood', () => {
    expect(inFiles({ '/srv/clouds.yml': CLOUDS }, 'old')?.settings).toEqual({
      authUrl: 'https://old.example:5000/v2.0',
      username: 'demo',
      password: '12345',
      projectId: 'abc',
      region: 'One',
      verify: 'false',
    })
  })

  test.each([
    ['the folder one is in', ['/srv/clouds.yaml', '/root/.config/openstack/clouds.yaml'], '/srv/clouds.yaml'],
    [
      "the user's",
      ['/etc/openstack/clouds.yaml', '/root/.config/openstack/clouds.yml'],
      '/root/.config/openstack/clouds.yml',
    ],
    ["the machine's", ['/etc/openstack/clouds.yaml'], '/etc/openstack/clouds.yaml'],
  ])('the first one counts: %s', (_, paths, path) => {
    const files = Object.fromEntries(paths.map((one) => [one, CLOUDS]))
    expect(inFiles(files, 'prod')?.from).toBe(`cloud prod in ${path}`)
  })

  test('a file that is named is the one', () => {
    const variables = { OS_CLIENT_CONFIG_FILE: '/a/b.yaml', OS_CLOUD: 'prod' }
    const files = { '/a/b.yaml': CLOUDS, '/srv/clouds.yaml': 'clouds: {}' }
    expect(inFiles(files, undefined, variables)?.from).toBe('cloud prod in /a/b.yaml')
  })

  test('the only cloud needs no name, and where there is no file there is nothing', () => {
    expect(inFiles({ '/srv/clouds.yaml': 'clouds: { a: { auth: { auth_url: "https://a/" } } }' })?.from).toContain(
      'cloud a in',
    )
    expect(inFiles({})).toBeUndefined()
  })

  test.each([
    ['several and no name', CLOUDS, undefined, /has several clouds and none is named/],
    ['another name', CLOUDS, 'test', /there is no cloud "test" in \/srv\/clouds.yaml/],
    ['a name of every object', CLOUDS, 'constructor', /there is no cloud "constructor"/],
    ['no YAML', `clouds: {a: *${SECRET}\n`, 'a', /is not YAML in line \d/],
    ['an alias that is none', `clouds: {a: {auth: {password: *${SECRET}}}}`, 'a', /is not YAML|refers to itself/],
    ['a list', `- ${SECRET}`, 'a', /is not what a clouds.yaml is/],
    ['clouds in a list', `clouds: [${SECRET}]`, 'a', /"clouds" in .* is no map/],
    [
      "a vendor's profile",
      'clouds: { a: { profile: vendor, auth: { username: b } } }',
      'a',
      /takes its address from a vendor's profile/,
    ],
  ])('%s is refused, without a word of what is in it', (_, text, name, message) => {
    const error = thrown(() => inFiles({ '/srv/clouds.yaml': text }, name))
    expect(error).toEqual(
      expect.objectContaining({ code: 'OPENSTACK_CONFIG', message: expect.stringMatching(message) }),
    )
    expect(`${error.message} ${error.remedy} ${Bun.inspect(error)}`).not.toContain(SECRET)
  })

  test('aliases that multiply are refused in bounded time', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)
    const text = `a0: &a0 [x]\n${levels.join('\n')}\nclouds: { a: *a30 }`
    expect(thrown(() => inFiles({ '/srv/clouds.yaml': text }, 'a')).message).toContain('refers to itself too often')
  })
})

describe('openrc', () => {
  test("the document's own, of a Keystone that is gone", () => {
    const text = [
      'OS_AUTH_URL=http://10.33.74.255:5000/v2.0',
      'OS_TENANT_ID=015058d74d1c444b871fc39dbd4442b8',
      'OS_TENANT_NAME="demo"',
      'OS_USERNAME="demo"',
      'OS_PASSWORD="password"',
      'OS_VIF_ID=2233c32a-4092-4d8b-b44d-1c54f666c507',
      '',
    ].join('\n')
    const { settings, vifId } = parseOpenrc(text, '/root/openrc')
    expect(vifId).toBe('2233c32a-4092-4d8b-b44d-1c54f666c507')
    const config = cloudConfig(settings, { from: '/root/openrc', readFile: () => '' })
    expect(config.authUrl).toBe('http://10.33.74.255:5000/v3')
    expect(config.scope).toEqual({ kind: 'project', id: '015058d74d1c444b871fc39dbd4442b8' })
    expect(config.identity).toEqual(
      expect.objectContaining({ kind: 'password', user: { name: 'demo', domain: { id: 'default' } } }),
    )
    expect(config.warnings[0]).toContain("Keystone's v2.0 is gone")
  })

  test.each([
    ['export OS_USERNAME=admin', 'admin'],
    ["export OS_USERNAME='ad $min'", 'ad $min'],
    ['OS_USERNAME="ad\\"m\\$in"', 'ad"m$in'],
    ['OS_USERNAME=admin # me', 'admin'],
    ['OS_USERNAME="admin" # me', 'admin'],
    ['OS_USERNAME=a=b', 'a=b'],
    ['# OS_USERNAME=x\r\nOS_USERNAME=y\r', 'y'],
    ["PS1='[\\u@\\h]\\$ '\nPS2=$(id)\nOS_USERNAME=z", 'z'],
    ['unset OS_TENANT_ID\nOS_USERNAME=z', 'z'],
  ])('%s', (text, username) => {
    expect(parseOpenrc(text, 'openrc').settings).toEqual({ username })
  })

  test.each([
    ['a command', `OS_PASSWORD=$(cat ${SECRET})`, 'the value in line 1 of openrc is for a shell to work out'],
    ['a question', `read -sr ${SECRET}`, 'line 1 of openrc is no KEY=value'],
    ['a variable', `A=b\nOS_PASSWORD=$${SECRET}`, 'the value in line 2 of openrc is for a shell to work out'],
    ['half a quote', `OS_PASSWORD="${SECRET}`, 'the value in line 1 of openrc is for a shell to work out'],
  ])('%s is refused', (_, text, message) => {
    const error = thrown(() => parseOpenrc(text, 'openrc'))
    expect(error.message).toBe(message)
    expect(Bun.inspect(error)).not.toContain(SECRET)
  })
})

test('environment variables, the newer of two names first', () => {
  const variables = {
    OS_AUTH_URL: 'a',
    OS_TENANT_NAME: 'old',
    OS_PROJECT_NAME: 'new',
    OS_REGION_NAME: '',
    OS_CACERT: '/ca',
  }
  expect(settingsInEnvironment(variables)).toEqual({ authUrl: 'a', projectName: 'new', caFile: '/ca' })
})

describe('the netconf of cni-ipam-neutron', () => {
  const DOCUMENT = {
    username: 'admin',
    password: 'c111f3c44f352e91ce76',
    project: 'admin',
    domain: 'default',
    authUrl: 'http://10.125.224.21:35357/v3',
  }

  test("the document's own, with its encrypted password and a warning", () => {
    const { settings, warnings } = netconfCloud(DOCUMENT)
    expect(settings).toEqual({
      username: 'admin',
      password: 'ITcloud123',
      projectName: 'admin',
      userDomainName: 'default',
      projectDomainName: 'default',
      authUrl: 'http://10.125.224.21:35357/v3',
    })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^The password is encrypted with a key that is published/)
  })

  test.each([
    ['s3cret', undefined],
    ['abc', undefined],
    ['', undefined],
    ['deadbeefdeadbeefdeadbeefdeadbeef', undefined],
    ['c111f3c44f352e91ce76', 'ITcloud123'],
    ['C111F3C44F352E91CE76', 'ITcloud123'],
  ])('a password written as %s', (text, password) => {
    expect(decryptLegacyPassword(text)).toBe(password)
  })

  test('a key that nobody knows is warned of: its value would be missed without a word', () => {
    expect(netconfCloud({ authUrl: 'https://n/v3', regionName: 'two' }).warnings).toEqual([
      '"regionName" in "ipam.openstackConf" is not known, and has no effect.',
    ])
  })

  test('which form it is can be said', () => {
    expect(netconfCloud({ ...DOCUMENT, passwordEncrypted: false }).settings.password).toBe('c111f3c44f352e91ce76')
    expect(thrown(() => netconfCloud({ ...DOCUMENT, password: SECRET, passwordEncrypted: true })).message).toBe(
      'password of "ipam.openstackConf" is not encrypted',
    )
  })

  test.each([
    [undefined, '"ipam.openstackConf" is missing'],
    [[], '"ipam.openstackConf" is missing'],
    [{ ...DOCUMENT, username: 7 }, 'username of "ipam.openstackConf" is no text'],
    [{ ...DOCUMENT, password: [SECRET] }, 'password of "ipam.openstackConf" is no text'],
  ])('%j is refused', (input, message) => {
    expect(thrown(() => netconfCloud(input)).message).toBe(message)
  })
})

test.each([
  [{ username: 'u', password: 'p', domain: 'd', authUrl: 'https://n/v3' }, 'add project'],
  [{ username: 'u', project: 'p', domain: 'd', authUrl: 'https://n/v3' }, 'add password'],
  [{ applicationCredentialId: 'a', authUrl: 'https://n/v3' }, 'add applicationCredentialSecret'],
  [{ username: 'u', password: 'p', project: 'p' }, 'add authUrl: https://host:5000/v3'],
])('what a netconf lacks is told by the keys of a netconf: %j', (input, remedy) => {
  expect(thrown(() => loadNetconfCloud(input)).remedy).toBe(remedy)
})

test('a netconf may name a cloud of the node in place of an account', () => {
  const before = process.env['OS_CLIENT_CONFIG_FILE']
  const folder = mkdtempSync(join(tmpdir(), 'weft-clouds-'))
  writeFileSync(
    join(folder, 'clouds.yaml'),
    CLOUDS.replace('username: cni', `username: cni\n      password: ${SECRET}`),
  )
  process.env['OS_CLIENT_CONFIG_FILE'] = join(folder, 'clouds.yaml')
  try {
    expect(loadNetconfCloud({ cloud: 'prod' }).authUrl).toBe('https://cloud.example:5000/v3')
    expect(thrown(() => loadNetconfCloud({ cloud: 7 })).message).toBe('cloud of "ipam.openstackConf" is no text')
  } finally {
    if (before === undefined) delete process.env['OS_CLIENT_CONFIG_FILE']
    else process.env['OS_CLIENT_CONFIG_FILE'] = before
    rmSync(folder, { recursive: true })
  }
})

describe('which cloud is meant', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-clouds-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'clouds.yaml'), CLOUDS)
  writeFileSync(join(folder, 'secure.yaml'), SECURE)
  const exported = { OS_AUTH_URL: 'https://exported/v3', OS_USERNAME: 'a', OS_PASSWORD: 'b', OS_PROJECT_NAME: 'c' }

  test.each([
    ['one that is named', { cloud: 'old' }, exported, 'https://old.example:5000/v3'],
    ['OS_CLOUD', {}, { ...exported, OS_CLOUD: 'prod' }, 'https://cloud.example:5000/v3'],
    ['what is exported', {}, exported, 'https://exported/v3'],
  ])('%s', (_, options, variables, authUrl) => {
    expect(loadCloud({ ...options, variables, cwd: folder }).authUrl).toBe(authUrl)
  })

  test('none, and a file that cannot be read', () => {
    const cwd = join(folder, 'nowhere')
    expect(thrown(() => loadCloud({ variables: { HOME: cwd }, cwd })).message).toBe('no cloud is configured')
    const message = thrown(() => loadOpenrc(folder)).message
    expect(message).toBe(`${folder} cannot be read (EISDIR)`)
  })

  test('an openrc and a netconf, from end to end', () => {
    const file = join(folder, 'openrc')
    writeFileSync(
      file,
      Object.entries({ ...exported, OS_VIF_ID: 'vif' })
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
    expect(loadOpenrc(file)).toEqual(expect.objectContaining({ vifId: 'vif' }))
    const netconf = { username: 'u', password: 'p', project: 'p', domain: 'd', authUrl: 'https://n/v3' }
    expect(loadNetconfCloud(netconf).authUrl).toBe('https://n/v3')
  })
})

function inFiles(
  files: Readonly<Record<string, string>>,
  name?: string,
  variables: Readonly<Record<string, string>> = {},
) {
  const readIfThere = (path: string): string | undefined => files[path]
  return cloudInFiles({ variables: { HOME: '/root', ...variables }, cwd: '/srv', readIfThere }, name)
}

function thrown(act: () => unknown): { readonly message: string; readonly remedy: string } {
  try {
    act()
  } catch (error) {
    return error as ReturnType<typeof thrown>
  }
  throw new Error('nothing was thrown')
}

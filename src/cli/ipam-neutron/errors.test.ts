/** What goes wrong: each error has its code, names the object and says what to do. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { BARE, NETWORK } from '../../compat/ipam-neutron/testing/small-neutron.ts'
import { neutronError, PASSWORD } from '../../openstack/testing/fake-cloud.ts'
import { type Call, Caller } from './testing/caller.ts'

const ABSENT = '99999999-44f9-4318-8c67-a2fed2ccca4f'

let caller: Caller
beforeEach(() => {
  caller = new Caller()
})
afterEach(() => caller.stop())

const groups = (...names: readonly string[]): Call => ({
  ipam: { neutronConf: { networks: [NETWORK], securityGroups: names } },
})
const ip = (text: string): Call => ({ env: { CNI_ARGS: `IP=${text}` } })
type Row = readonly [what: string, asked: Call, code: number, message: RegExp, remedy: RegExp]

const told = ({ code, msg, details }: { code: number; msg: string; details: string }, row: Row) => {
  const [, , expected, message, remedy] = row
  expect(code).toBe(expected)
  expect(msg).toMatch(message)
  expect(details).toMatch(remedy)
}

describe('asked for what is not there', () => {
  test.each<Row>([
    ['a network', { networks: [ABSENT] }, 172, /show network 99999999-/, /correct its ID/],
    ['a network by its name', { networks: ['pods'] }, 172, /^OpenStack .* pods .* is no ID/, /network show pods -c id/],
    ['a network’s subnets', { networks: [BARE] }, 178, /network 22222222-\S+ has no subnet/, /subnet create/],
    ['an address of it', ip('192.0.2.7'), 179, /192.0.2.7 .*203.0.113.0\/24/, /ask for an address/],
    ['an address', ip('no'), 4, /CNI_ARGS/, /valid CNI_ARGS/],
    ['one group of that name', groups('two'), 181, /2 security groups .* named two/, /write the ID/],
    ['a group', groups('no'), 172, /named no/, /correct the name/],
    ['an account', { ipam: { openstackConf: undefined } }, 11, /ipam.openstackConf/, /write an account/],
    ['a user', { account: { username: '' } }, 7, /the user is missing in "ipam.openstackConf"/, /username/],
    ['neutronConf', { ipam: { neutronConf: undefined } }, 7, /ipam.neutronConf/, /correct ipam.neutronConf/],
    ['a region', { account: { region: 'No' } }, 7, /type network in region No/, /RegionOne/],
  ])('%s', async (what, asked, code, message, remedy) => {
    told((await caller.call('ADD', asked)).answer, [what, asked, code, message, remedy])
    expect(caller.ports()).toEqual([])
  })

  test('a file of name servers', async () => {
    const readFile = () => {
      throw Object.assign(new Error('no'), { code: 'ENOENT' })
    }
    const { answer } = await caller.call('ADD', { ipam: { resolvConf: '/no' }, options: { readFile } })
    expect([answer.code, answer.msg]).toEqual([7, expect.stringContaining('/no cannot be read (ENOENT)')])
  })
})

describe('refused by Neutron', () => {
  test.each<readonly [...Row, status: number, type: string, words: string]>([
    ['a quota', {}, 173, /used up for port/, /quota set --ports/, 409, 'OverQuota', "['port']"],
    [
      'no address left',
      {},
      174,
      /on network 782ec9ac-\S+ no address is free/,
      /enlarge/,
      409,
      'IpAddressGenerationFailure',
      'words',
    ],
    [
      'an address taken',
      ip('203.0.113.7'),
      175,
      /with address 203.0.113.7 on/,
      /--fixed-ip/,
      409,
      'IpAddressAlreadyAllocated',
      'words',
    ],
    ['a policy', {}, 171, /policy/, /administrator/, 403, 'PolicyNotAuthorized', 'words'],
    ['a network that goes', {}, 172, /the network is not there/, /correct its ID/, 404, 'NetworkNotFound', 'words'],
    ['a value', {}, 176, /does not accept/, /request ID/, 400, 'InvalidInput', 'words'],
    ['a port in use', {}, 176, /belongs to a machine/, /release/, 409, 'PortInUse', 'words'],
    ['not implemented', {}, 176, /does not have that/, /extension list/, 501, 'none', 'words'],
  ])('%s', async (what, asked, code, message, remedy, status, type, words) => {
    const requestId = 'req-0b7f6a3c-52a5-4b0e-9d0a-5d2d0b5f1c11'
    const answer = () => neutronError(status, type, words, { 'x-openstack-request-id': requestId })
    caller.once('POST /ports', { kind: 'refused', answer })
    const called = await caller.call('ADD', asked)
    told(called.answer, [what, asked, code, message, remedy])
    expect(called.answer.msg).toContain(requestId)
    expect(caller.ports()).toEqual([])
  })
})

describe('the account', () => {
  const refused = (status: number, body: object) => () => Response.json(body, { status })

  test('is wrong: said once, by code and address', async () => {
    caller.neutron.keystone = refused(401, { error: { code: 401, message: PASSWORD } })
    const { answer } = await caller.call('ADD')
    told(answer, ['', {}, 170, /Keystone did not give out a token at http:\S+\/v3: user, password/, /token issue/])
    expect(caller.neutron.cloud.asked).toEqual({ keystone: 1, neutron: 0 })
    const status = await caller.call('STATUS', { version: '1.1.0' })
    told(status.answer, ['', {}, 50, /OpenStack refuses the account/, /token issue/])
  })

  test('is at an address where nobody is', async () => {
    const asked = { account: { authUrl: 'http://127.0.0.1:1/v3' } }
    told((await caller.call('ADD', asked)).answer, ['', {}, 11, /the connection to 127.0.0.1:1 failed/, /runs at/])
    expect((await caller.call('DEL', asked)).status).toBe(1)
  })

  test('what a server repeats of it is not repeated', async () => {
    const answer = () =>
      neutronError(409, PASSWORD, `${PASSWORD} token-1`, { 'x-openstack-request-id': `req-${PASSWORD}` })
    caller.once('POST /ports', { kind: 'refused', answer })
    expect((await caller.call('ADD')).output).not.toContain('token-1')
  })
})

describe('a Neutron that is slow', () => {
  test('is not waited for longer than a kubelet waits, and what it made is taken back', async () => {
    caller.once('POST /ports', { kind: 'silent' })
    const { answer } = await caller.call('ADD', {
      options: { patience: 300, session: { limits: { attempt: 600, attempts: 1 } } },
    })
    expect([answer.code, answer.msg]).toEqual([11, expect.stringContaining('OpenStack took longer than 0.3 seconds: ')])
    expect(caller.ports()).toEqual([])
  }, 20_000)

  test('that stops in the middle of an answer is no different', async () => {
    const stops = new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode(' ')) })
    caller.once('GET /ports', { kind: 'refused', answer: () => new Response(stops) })
    const limits = { attempt: 100, total: 300, attempts: 1 }
    const { answer } = await caller.call('ADD', { options: { session: { limits } } })
    expect([answer.code, caller.ports()]).toEqual([11, []])
  })
})

describe('input that is none', () => {
  test.each(['', '{', '[]', '{"name":"n"}', '{"name":"n","ipam":[]}'])('%s', async (text) => {
    for (const verb of ['ADD', 'DEL']) {
      const { status, answer } = await caller.raw(verb, text)
      expect([status, [6, 7, 11]]).toEqual([1, expect.arrayContaining([answer.code])])
    }
    expect(caller.neutron.heard).toEqual([])
  })
})

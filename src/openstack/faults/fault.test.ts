import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { OpenStackError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { type Asked, faultIn } from './fault.ts'
import { NEUTRON_FAULTS } from './neutron-table.ts'

const ASKED: Asked = { service: 'Neutron', doing: 'update port 2233c32a', isSafe: true, secrets: [] }
const REQUEST = 'req-0b7f6a3c-52a5-4b0e-9d0a-5d2d0b5f1c11'

/** Status, Neutron's names of failures with it, and what each is to whoever asked. Source: Neutron 21's exceptions. */
const CASES: readonly (readonly [status: number, code: string, types: readonly string[]])[] = [
  [
    400,
    'OPENSTACK_INVALID',
    ['InvalidInput', 'HTTPBadRequest', 'BadRequest', 'InvalidIpForNetwork', 'InvalidIpForSubnet'],
  ],
  [400, 'OPENSTACK_INVALID', ['AllowedAddressPairsMissingIP', 'DuplicateAddressPairInRequest', 'MalformedRequestBody']],
  [400, 'OPENSTACK_EXHAUSTED', ['AllowedAddressPairExhausted', 'ExternalIpAddressExhausted']],
  [403, 'OPENSTACK_FORBIDDEN', ['PolicyNotAuthorized', 'AdminRequired']],
  [404, 'OPENSTACK_NOT_FOUND', ['PortNotFound', 'NetworkNotFound', 'SubnetNotFound', 'SecurityGroupNotFound']],
  [404, 'OPENSTACK_NOT_FOUND', ['TrunkNotFound', 'SubPortNotFound', 'RouterNotFound', 'HTTPNotFound']],
  [409, 'OPENSTACK_EXHAUSTED', ['IpAddressGenerationFailure']],
  [409, 'OPENSTACK_QUOTA', ['OverQuota']],
  [409, 'OPENSTACK_CONFLICT', ['IpAddressAlreadyAllocated', 'IpAddressInUse', 'MacAddressInUse', 'DuplicateSubPort']],
  [409, 'OPENSTACK_CONFLICT', ['SecurityGroupRuleExists', 'AddressPairAndPortSecurityRequired']],
  [
    409,
    'OPENSTACK_IN_USE',
    ['PortInUse', 'PortBound', 'ServicePortInUse', 'NetworkInUse', 'SubnetInUse', 'RouterInUse'],
  ],
  [409, 'OPENSTACK_IN_USE', ['SecurityGroupInUse', 'TrunkPortInUse', 'ParentPortInUse', 'PortInUseAsSubPort']],
  [409, 'OPENSTACK_IN_USE', ['PortInUseAsTrunkParent', 'TrunkInUse', 'TrunkInErrorState', 'TrunkDisabled']],
  [409, 'OPENSTACK_IN_USE', ['RouterInterfaceInUseByFloatingIP', 'RouterInterfaceInUseByRoute']],
  [409, 'OPENSTACK_INVALID', ['SubPortMtuGreaterThanTrunkPortMtu']],
  [412, 'OPENSTACK_REVISION', ['RevisionNumberConstraintFailed']],
  [500, 'OPENSTACK_UNAVAILABLE', ['IPAllocationFailed']],
  [503, 'OPENSTACK_UNAVAILABLE', ['HostMacAddressGenerationFailure', 'NetworkMacAddressGenerationFailure']],
  [503, 'OPENSTACK_UNAVAILABLE', ['ServiceUnavailable']],
]

describe.each(CASES)('%d %s', (status, code, types) => {
  test.each(types)('%s', (type) => {
    const error = faultIn(answer(status, { NeutronError: { type, message: 'words', detail: '' } }), ASKED)
    expect(error).toEqual(expect.objectContaining({ code, status, type, requestId: REQUEST, service: 'Neutron' }))
    expect(error?.message).toMatch(
      new RegExp(`^Neutron did not update port 2233c32a: .+ \\(${status}, ${type}, ${REQUEST}\\)$`),
    )
    expect(error?.remedy).not.toBe('')
  })
})

test('every row has a case', () => {
  expect(CASES.flatMap(([, , types]) => types).toSorted()).toEqual(Object.keys(NEUTRON_FAULTS).toSorted())
})

test.each([
  ['a body that is none', 'Neutron', 503, 'nonsense', 'OPENSTACK_UNAVAILABLE', /cannot ask Keystone about the token/],
  [
    'a type that nobody knows',
    'Neutron',
    409,
    { NeutronError: { type: 'Zebra', message: 'm' } },
    'OPENSTACK_CONFLICT',
    /\(409, req/,
  ],
  [
    'a type of every object',
    'Neutron',
    409,
    { NeutronError: { type: 'constructor' } },
    'OPENSTACK_CONFLICT',
    /\(409, req/,
  ],
  ['an error as a text', 'Neutron', 400, { NeutronError: 'zebra' }, 'OPENSTACK_INVALID', /\(400, req/],
  ['not implemented', 'Neutron', 501, { NotImplementedError: {} }, 'OPENSTACK_UNSUPPORTED', /does not have that/],
  ['too often', 'Neutron', 429, '', 'OPENSTACK_UNAVAILABLE', /asked too often/],
  ['a proxy', 'Neutron', 504, '<html>', 'OPENSTACK_UNAVAILABLE', /failed at it/],
  [
    'a policy that hides',
    'Neutron',
    404,
    { NeutronError: { type: 'HTTPNotFound' } },
    'OPENSTACK_NOT_FOUND',
    /no such object/,
  ],
  [
    'Keystone, a name that is there',
    'Keystone',
    409,
    { error: { code: 409 } },
    'OPENSTACK_CONFLICT',
    /is there already/,
  ],
  ['Keystone, too large', 'Keystone', 413, '', 'OPENSTACK_INVALID', /too large/],
  [
    'Keystone in Neutrons words',
    'Keystone',
    400,
    { NeutronError: { type: 'OverQuota' } },
    'OPENSTACK_INVALID',
    /\(400, req/,
  ],
] as const)('%s', (_, service, status, body, code, message) => {
  const error = faultIn(answer(status, body), { ...ASKED, service })
  expect(error).toEqual(expect.objectContaining({ code, message: expect.stringMatching(message) }))
})

test('a quota is named', () => {
  const message = "Quota exceeded for resources: ['port', 'security_group']."
  const error = faultIn(answer(409, { NeutronError: { type: 'OverQuota', message } }), ASKED)
  expect(error?.message).toContain("the project's quota is used up for port, security_group (409, OverQuota")
})

test('objects that the answer names are told apart from its words', () => {
  const message = 'Rule already exists. Rule id is 015058d7-4d1c-444b-871f-c39dbd4442b8.'
  const error = faultIn(answer(409, { NeutronError: { type: 'SecurityGroupRuleExists', message } }), ASKED)
  expect(error?.mentions).toEqual(['015058d7-4d1c-444b-871f-c39dbd4442b8'])
})

test('a secret that looks like an ID is not one', () => {
  const secret = '015058d7-4d1c-444b-871f-c39dbd4442b8'
  const body = { NeutronError: { type: 'PortInUse', message: `not for ${secret}` } }
  expect(faultIn(answer(409, body), { ...ASKED, secrets: [new Secret(secret)] })?.mentions).toEqual([])
})

test('nothing that a server writes is repeated, whatever it writes', () => {
  const secret = 'gAAAAABkzebra-hornet_quartz'
  const place = fc.constantFrom('type', 'message', 'detail', 'error', 'title')
  const outer = fc.constantFrom('NeutronError', 'error', 'badRequest')
  const status = fc.integer({ min: 300, max: 599 })
  fc.assert(
    fc.property(outer, place, status, fc.boolean(), fc.jsonValue(), (key, field, code, isHeader, noise) => {
      const body = { [key]: { [field]: `${secret} ${JSON.stringify(noise)}` } }
      const headers = isHeader ? { 'x-openstack-request-id': `req-${secret}` } : {}
      for (const service of ['Neutron', 'Keystone'] as const) {
        const error = faultIn(answer(code, body, headers), { ...ASKED, service })
        expect(error).toBeInstanceOf(OpenStackError)
        expect(Bun.inspect(error, { depth: 9 })).not.toMatch(/zebra|hornet|quartz/)
      }
    }),
    { numRuns: 300 },
  )
})

function answer(
  status: number,
  body: unknown,
  headers: Record<string, string> = { 'x-openstack-request-id': REQUEST },
) {
  return { status, headers: new Headers(headers), text: typeof body === 'string' ? body : JSON.stringify(body) }
}

import { describe, expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import { dockerOptions } from './docker-options.ts'
import { encodeSubnetEnv, networksIn, subnetsIn, variablesIn } from './subnet-env.ts'

const ENV = {
  networks: [cidr('10.5.0.0/16')],
  subnets: { ipv4: cidr('10.5.52.0/24') },
  mtu: 1450,
  ipMasq: true,
}
const TEXT = 'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.52.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n'

describe('subnet.env', () => {
  test('of IPv4, both ways', () => {
    expect(encodeSubnetEnv(ENV)).toBe(TEXT)
    expect(subnetsIn(TEXT)).toEqual(ENV.subnets)
    expect(networksIn(TEXT)).toEqual(ENV.networks)
  })

  test('of both families', () => {
    const networks = [...ENV.networks, cidr('fd00:10::/48')]
    const subnets = { ...ENV.subnets, ipv6: cidr('fd00:10:0:34::/64') }
    const text = encodeSubnetEnv({ ...ENV, networks, subnets })
    expect(text).toContain('FLANNEL_IPV6_NETWORK=fd00:10::/48\nFLANNEL_IPV6_SUBNET=fd00:10:0:34::1/64\n')
    expect(subnetsIn(text)).toEqual(subnets)
    expect(networksIn(text)).toEqual(networks)
  })

  test('quotes, an export, a list and nonsense', () => {
    const text = 'export FLANNEL_NETWORK="10.5.0.0/16,10.6.0.0/16"\nFLANNEL_SUBNET=\'10.5.52.1/24\'\r\n# x\nnonsense\n'
    expect(subnetsIn(text)).toEqual(ENV.subnets)
    expect(networksIn(text)).toEqual([cidr('10.5.0.0/16'), cidr('10.6.0.0/16')])
    expect(subnetsIn('FLANNEL_SUBNET=fd00::1/64\n')).toBeUndefined()
    expect(subnetsIn('')).toBeUndefined()
  })
})

describe('Docker’s options', () => {
  const WISH = { individual: false, combined: false, key: 'DOCKER_OPTS', omitIpMasq: false }
  const options = (wish: Partial<typeof WISH>, environment: Record<string, string> = {}, text = TEXT) =>
    dockerOptions(variablesIn(text), new Map(Object.entries(environment)), { ...WISH, ...wish })
  const INDIVIDUAL =
    'DOCKER_OPT_BIP="--bip=10.5.52.1/24"\nDOCKER_OPT_IPMASQ="--ip-masq=false"\nDOCKER_OPT_MTU="--mtu=1450"\n'
  const ALL = '--bip=10.5.52.1/24 --ip-masq=false --mtu=1450'

  test('as they are asked for', () => {
    expect(options({})).toBe(`${INDIVIDUAL}DOCKER_OPTS=" ${ALL} "\n`)
    expect(options({ individual: true, combined: true })).toBe(`${INDIVIDUAL}DOCKER_OPTS=" ${ALL} "\n`)
    expect(options({ individual: true })).toBe(INDIVIDUAL)
    expect(options({ combined: true })).toBe(`DOCKER_OPTS=" ${ALL} "\n`)
    expect(options({ combined: true, omitIpMasq: true })).toBe('DOCKER_OPTS=" --bip=10.5.52.1/24 --mtu=1450 "\n')
  })

  test('the seed’s key, beside what the unit’s environment has', () => {
    const wish = { combined: true, key: 'DOCKER_NETWORK_OPTIONS' }
    expect(options(wish)).toBe(`DOCKER_NETWORK_OPTIONS=" ${ALL} "\n`)
    expect(options(wish, { DOCKER_NETWORK_OPTIONS: '--icc=false' })).toBe(
      `DOCKER_NETWORK_OPTIONS="--icc=false ${ALL} "\n`,
    )
    expect(options(wish, { DOCKER_OPT_ZZ: '--zz', HOME: '/' })).toBe(`DOCKER_NETWORK_OPTIONS=" ${ALL} --zz "\n`)
  })

  test('Docker translates where flanneld does not', () => {
    expect(options({ individual: true }, {}, TEXT.replace('true', 'false'))).toContain('"--ip-masq=true"')
    expect(options({ combined: true }, {}, '')).toBe('DOCKER_OPTS=" "\n')
  })
})

import { readingConfig } from '../../../cni/config-fault.ts'
import { cniError } from '../../../cni/index.ts'
import { type JsonObject, member, optionalObject, ShapeError } from '../../../cni/json.ts'
import { type NamesByFamily, readPoolNames } from '../../../compat/spiderpool/selection/annotations.ts'

/** What a network's configuration says of its addresses. */
export interface SpiderpoolNetconf {
  /** `default_ipv4_ippool` and `default_ipv6_ippool`. */
  readonly defaults: NamesByFamily
  /** `clean_gateway`: no default route by way of the pool's gateway. */
  readonly hasCleanGateway: boolean
}

/**
 * Reads `ipam` of a network's configuration. What is about Spiderpool's own log (`log_…`) and socket
 * (`ipam_unix_socket_path`) has no effect: there is neither. Throws `config-invalid`, and `unsupported-field` for
 * `match_master_subnet`, which is about virtual functions.
 */
export function spiderpoolNetconf(config: JsonObject): SpiderpoolNetconf {
  return readingConfig(() => {
    const ipam = optionalObject(config, 'ipam', 'ipam') ?? {}
    if (yesIn(ipam, 'match_master_subnet')) {
      throw cniError('unsupported-field', { key: 'ipam.match_master_subnet', value: 'true' })
    }
    return {
      defaults: {
        4: readPoolNames(ipam, 'default_ipv4_ippool', 'ipam.default_ipv4_ippool'),
        6: readPoolNames(ipam, 'default_ipv6_ippool', 'ipam.default_ipv6_ippool'),
      },
      hasCleanGateway: yesIn(ipam, 'clean_gateway'),
    }
  })
}

function yesIn(ipam: JsonObject, key: string): boolean {
  const value = member(ipam, key) ?? false
  if (typeof value !== 'boolean') throw new ShapeError(`ipam.${key}`, 'must be true or false')
  return value
}

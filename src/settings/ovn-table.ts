/**
 * The settings that say where OVN's northbound database is, and whose rows of it are meant.
 * @module
 */
import { path, setting, words } from './setting.ts'

const BOTH = ['agent', 'controller'] as const

/** Every setting of the section. */
export const OVN_SETTINGS = {
  'ovn.northbound': setting({
    type: words('a list of places, parted by commas'),
    otherwise: 'shared state is where `kubernetes` says',
    example: 'ssl:192.0.2.1:6641,ssl:192.0.2.2:6641',
    description: 'Servers of OVN’s northbound database, which holds configuration, machines and tenants',
    programs: BOTH,
    applied: 'restart',
    flag: 'ovn-nb',
  }),
  'ovn.cluster': setting({
    type: words('up to 63 lower-case letters, digits and dashes', /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
    otherwise: 'nothing: it has to be given beside `ovn.northbound`',
    example: 'blue',
    description: 'Whose rows are ours: a name that nobody else uses in that database',
    programs: BOTH,
    applied: 'restart',
    flag: 'ovn-cluster',
  }),
  'ovn.caFile': setting({
    type: path,
    otherwise: 'no place begins with ssl:',
    example: '/etc/weft/ovn/ca.pem',
    description: 'The authority of the servers’ certificates',
    programs: BOTH,
    applied: 'restart',
    flag: 'ovn-cafile',
  }),
  'ovn.certFile': setting({
    type: path,
    otherwise: 'no place begins with ssl:',
    example: '/etc/weft/ovn/client.pem',
    description: 'Our certificate',
    programs: BOTH,
    applied: 'restart',
    flag: 'ovn-certfile',
  }),
  'ovn.keyFile': setting({
    type: path,
    otherwise: 'no place begins with ssl:',
    example: '/etc/weft/ovn/client.key',
    description: 'The key of our certificate',
    programs: BOTH,
    applied: 'restart',
    flag: 'ovn-keyfile',
  }),
} as const

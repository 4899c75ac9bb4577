/**
 * Settings about the cloud that nodes' ports are made in.
 * @module
 */
import { path, setting, words } from './setting.ts'

const CONTROLLER = ['controller'] as const

/** Key → setting, as in `table.ts`. */
export const OPENSTACK_SETTINGS = {
  'openstack.cloud': setting({
    type: words('the name of a cloud'),
    otherwise: 'the variable OS_CLOUD, what OS_AUTH_URL and its like say, or the only cloud of the file',
    example: 'pods',
    description: 'The cloud of clouds.yaml that the controller makes nodes’ ports in. Nodes need no credentials',
    programs: CONTROLLER,
    applied: 'restart',
    flag: 'openstack-cloud',
  }),
  'openstack.cloudsFile': setting({
    type: path,
    otherwise: 'where the `openstack` client looks for it, such as /etc/openstack/clouds.yaml',
    example: '/etc/openstack/clouds.yaml',
    description: 'clouds.yaml, with the credentials. Read anew when they are refused',
    programs: CONTROLLER,
    applied: 'restart',
    flag: 'openstack-clouds-file',
  }),
} as const

/**
 * Spiderpool's API (`spiderpool.spidernet.io/v2beta1`): its kinds.
 * @module
 */
import type { Resource } from '../../kube/object.ts'

const GROUP = { group: 'spiderpool.spidernet.io', version: 'v2beta1' } as const

export const SPIDER_IP_POOLS: Resource = { ...GROUP, plural: 'spiderippools', kind: 'SpiderIPPool', namespaced: false }

export const SPIDER_SUBNETS: Resource = { ...GROUP, plural: 'spidersubnets', kind: 'SpiderSubnet', namespaced: false }

export const SPIDER_RESERVED_IPS: Resource = {
  ...GROUP,
  plural: 'spiderreservedips',
  kind: 'SpiderReservedIP',
  namespaced: false,
}

export const SPIDER_ENDPOINTS: Resource = {
  ...GROUP,
  plural: 'spiderendpoints',
  kind: 'SpiderEndpoint',
  namespaced: true,
}

export const SPIDER_COORDINATORS: Resource = {
  ...GROUP,
  plural: 'spidercoordinators',
  kind: 'SpiderCoordinator',
  namespaced: false,
}

export const SPIDER_MULTUS_CONFIGS: Resource = {
  ...GROUP,
  plural: 'spidermultusconfigs',
  kind: 'SpiderMultusConfig',
  namespaced: true,
}

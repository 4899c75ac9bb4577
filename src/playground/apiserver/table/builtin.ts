/**
 * The tables of built-in resources, by the plural of their kind.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import { EVENTS } from './kinds/events.ts'
import { NODES } from './kinds/nodes.ts'
import {
  CONFIG_MAPS,
  DEFINITIONS,
  LEASES,
  NAMESPACES,
  NETWORK_POLICIES,
  SECRETS,
  SERVICE_ACCOUNTS,
} from './kinds/plain.ts'
import { PODS } from './kinds/pods.ts'
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from './kinds/services.ts'
import { CONTROLLER_REVISIONS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS } from './kinds/workloads.ts'

/** Columns, their order and what stands in them are those of Kubernetes 1.32. */
export const BUILTIN_TABLES: ReadonlyMap<string, NonNullable<ServedResource['table']>> = new Map([
  ['namespaces', NAMESPACES],
  ['nodes', NODES],
  ['pods', PODS],
  ['services', SERVICES],
  ['endpoints', ENDPOINTS],
  ['endpointslices', ENDPOINT_SLICES],
  ['networkpolicies', NETWORK_POLICIES],
  ['configmaps', CONFIG_MAPS],
  ['secrets', SECRETS],
  ['serviceaccounts', SERVICE_ACCOUNTS],
  ['events', EVENTS],
  ['leases', LEASES],
  ['deployments', DEPLOYMENTS],
  ['replicasets', REPLICA_SETS],
  ['statefulsets', STATEFUL_SETS],
  ['controllerrevisions', CONTROLLER_REVISIONS],
  ['customresourcedefinitions', DEFINITIONS],
])

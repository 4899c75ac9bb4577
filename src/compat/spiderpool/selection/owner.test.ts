import { expect, test } from 'bun:test'
import type { Labels } from '../../../network/model/policy.ts'
import { applicationLabels, keepsAddresses, topOwner } from './owner.ts'

const NONE: Labels = {}

test.each([
  [
    'a Deployment',
    'apps/v1',
    'ReplicaSet',
    'test-app-6f8dddd88d',
    { 'pod-template-hash': '6f8dddd88d' },
    'Deployment test-app',
  ],
  ['a ReplicaSet of its own', 'apps/v1', 'ReplicaSet', 'web', NONE, 'ReplicaSet web'],
  [
    'a ReplicaSet with another hash',
    'apps/v1',
    'ReplicaSet',
    'web-1',
    { 'pod-template-hash': '2' },
    'ReplicaSet web-1',
  ],
  [
    'a ReplicaSet that is its hash alone',
    'apps/v1',
    'ReplicaSet',
    '-77',
    { 'pod-template-hash': '77' },
    'ReplicaSet -77',
  ],
  ['somebody else’s ReplicaSet', 'x.io/v1', 'ReplicaSet', 'a-7', { 'pod-template-hash': '7' }, 'ReplicaSet a-7'],
  ['a StatefulSet', 'apps/v1', 'StatefulSet', 'db', NONE, 'StatefulSet db'],
  ['a DaemonSet', 'apps/v1', 'DaemonSet', 'log', NONE, 'DaemonSet log'],
  ['a CronJob', 'batch/v1', 'Job', 'report-29400120', NONE, 'CronJob report'],
  ['a Job named by a day', 'batch/v1', 'Job', 'import-20240101', NONE, 'Job import-20240101'],
  ['a Job', 'batch/v1', 'Job', 'import', NONE, 'Job import'],
  ['another’s', 'apps.kruise.io/v1alpha1', 'CloneSet', 'web', NONE, 'CloneSet web'],
] as const)('%s', (_, apiVersion, kind, name, labels, expected) => {
  const owner = topOwner({ controller: { apiVersion, kind, name, uid: 'u' }, labels })
  expect(`${owner?.kind} ${owner?.name}`).toBe(expected)
  // Whose uid is known is known to be that one's.
  expect(owner?.uid).toBe(owner?.kind === kind ? 'u' : undefined)
})

test('nobody controls it', () => {
  expect(topOwner({})).toBeUndefined()
  expect(applicationLabels({ namespace: 'a' }, undefined)).toEqual({})
})

test.each([
  ['apps/v1', 'StatefulSet', true],
  ['apps.kruise.io/v1beta1', 'StatefulSet', false],
  ['apps/v1', 'Deployment', false],
])('%s %s keeps its addresses: %p', (apiVersion, kind, expected) => {
  expect(keepsAddresses({ apiVersion, kind, name: 'x' })).toBe(expected)
})

test('a core controller has an empty group', () => {
  const owner = { apiVersion: 'v1', kind: 'ReplicationController', name: 'rc' }
  expect(applicationLabels({ namespace: 'a' }, owner)).toEqual({
    'ipam.spidernet.io/app-api-group': '',
    'ipam.spidernet.io/app-api-version': 'v1',
    'ipam.spidernet.io/app-kind': 'ReplicationController',
    'ipam.spidernet.io/app-namespace': 'a',
    'ipam.spidernet.io/app-name': 'rc',
  })
})

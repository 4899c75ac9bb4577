import { expect, test } from 'bun:test'
import { OpenStackError } from '../../openstack/errors.ts'
import type { AddressPair, Port, PortChange } from '../../openstack/neutron/model.ts'
import { chooseMode } from './choose-mode.ts'

const OTHERS: AddressPair = { address: '192.0.2.7' }

/** A VM's port, and what becomes of a change. */
class Vm {
  pairs: readonly AddressPair[] = [OTHERS]
  /** The call that is the last one of the process. */
  dies = Number.POSITIVE_INFINITY
  refusal: OpenStackError | undefined
  #calls = 0

  get port(): Port {
    const empty = { name: '', deviceId: '', deviceOwner: '', description: '', status: 'DOWN', isAdminUp: true }
    const unknown = { projectId: undefined, vifType: undefined, hostId: undefined, trunk: undefined }
    return {
      ...empty,
      ...unknown,
      ...{ id: 'vm-1', networkId: 'net', mac: 'fa:16:3e:00:00:01', fixedIps: [], securityGroups: [], tags: [] },
      ...{ addressPairs: this.pairs, hasPortSecurity: true, revision: 7 },
    }
  }

  readonly get = async (): Promise<Port> => this.port
  /** It looks at no revision. */
  readonly update = async (_: string, change: PortChange): Promise<Port> => {
    if (this.refusal !== undefined) throw this.refusal
    this.#calls += 1
    this.pairs = change.addressPairs ?? this.pairs
    if (this.#calls >= this.dies) throw new TypeError('killed')
    return this.port
  }

  choose(mode: 'auto' | 'pair' = 'auto'): Promise<string> {
    const question = { ports: this, parent: this.port, networkId: 'net', max: 3, knowsRevisions: true }
    return chooseMode({ ...question, mode })
  }
}

test('where pairs are forbidden by policy, auto goes on to addresses of the port', async () => {
  const vm = new Vm()
  vm.refusal = new OpenStackError('OPENSTACK_FORBIDDEN', 'no', 'ask somebody')
  expect(await vm.choose()).toBe('fixed')
})

test('whoever is killed while it tries leaves no pair behind', async () => {
  const vm = new Vm()
  vm.dies = 1
  expect(vm.choose()).rejects.toThrow('killed')
  expect(vm.pairs.length).toBe(4)
  vm.dies = Number.POSITIVE_INFINITY
  // Whatever is asked for then.
  expect(await vm.choose('pair')).toBe('pair')
  expect(vm.pairs).toEqual([OTHERS])
})

test('a cloud that looks at no revisions has its pairs as before', async () => {
  const vm = new Vm()
  expect(await vm.choose()).toBe('pair')
  expect(vm.pairs).toEqual([OTHERS])
})

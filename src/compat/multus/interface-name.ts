import { ifnameFault } from '../../cni/formats.ts'

/** Why a pod cannot have an interface of this name; undefined where it can. */
export function ifnameProblem(ifname: string): string | undefined {
  return ifname === 'lo' ? 'must not be lo, which every pod has' : ifnameFault(ifname)
}

/**
 * A range that pods' addresses are of, as Calico's IPPool: what of it concerns BGP.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { BgpRange } from '../../../network/model/bgp.ts'
import { at, nameOf, optionalField, textAt } from '../../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../../merge.ts'
import { CALICO_IP_POOLS } from '../../spiderpool/coordinator-sources.ts'
import { fieldNamed } from './field-names.ts'

/** IPPool ↔ BgpRange. */
export const bgpRangeBinding: KubeBinding<'BgpRange'> = {
  resource: CALICO_IP_POOLS,
  isOptional: true,
  keepsLast: true,
  place: clusterPlace,
  nameOf,
  fieldOf: fieldNamed({
    cidr: 'spec.cidr',
    isHidden: 'spec.disableBGPExport',
    isTranslated: 'spec.natOutgoing',
    isDisabled: 'spec.disabled',
  }),
  decode,
  encode: (value) => objectOf(CALICO_IP_POOLS, clusterPlace(value.name), patch(value)),
  patch,
}

const MODES = { ipip: 'ipipMode', vxlan: 'vxlanMode' } as const

function decode(object: KubeObject): unknown {
  const spec = at(object, 'spec')
  const tunnel = (['ipip', 'vxlan'] as const).find((one) => ![undefined, 'Never'].includes(textAt(spec, MODES[one])))
  const isCross = tunnel !== undefined && textAt(spec, MODES[tunnel]) === 'CrossSubnet'
  return {
    name: nameOf(object),
    cidr: at(spec, 'cidr'),
    ...optionalField('isHidden', at(spec, 'disableBGPExport')),
    ...optionalField('tunnel', tunnel),
    ...optionalField('isCrossSubnet', isCross ? true : undefined),
    ...optionalField('isTranslated', at(spec, 'natOutgoing')),
    ...optionalField('isDisabled', at(spec, 'disabled')),
  }
}

function patch({ cidr, isHidden, tunnel, isCrossSubnet, isTranslated, isDisabled }: BgpRange): MergePatch {
  const mode = (one: BgpRange['tunnel']): string =>
    tunnel === one ? (isCrossSubnet === true ? 'CrossSubnet' : 'Always') : 'Never'
  return {
    spec: {
      cidr,
      disableBGPExport: isHidden ?? null,
      ipipMode: mode('ipip'),
      vxlanMode: mode('vxlan'),
      natOutgoing: isTranslated ?? null,
      disabled: isDisabled ?? null,
    },
  }
}

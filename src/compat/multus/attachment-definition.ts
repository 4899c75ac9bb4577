/**
 * A network that pods are attached to by name, as the NetworkAttachmentDefinition of the Network Plumbing Working Group.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { type AttachmentDefinition, CONFIG_UNREADABLE, MAX_CONFIG } from '../../network/model/definition.ts'
import { annotationOf, at, nameOf, optionalField, qualifiedNameOf } from '../fields.ts'
import { type MergePatch, namespacedPlace, objectOf } from '../merge.ts'

export const NETWORK_ATTACHMENT_DEFINITIONS: Resource = {
  group: 'k8s.cni.cncf.io',
  version: 'v1',
  plural: 'network-attachment-definitions',
  kind: 'NetworkAttachmentDefinition',
  namespaced: true,
}

/** The resource of nodes that an attachment takes one of. */
export const RESOURCE_NAME = 'k8s.v1.cni.cncf.io/resourceName'
const MAX_RESOURCE_NAME = 317

/** NetworkAttachmentDefinition ↔ AttachmentDefinition. What its configuration means is for whoever attaches to find out. */
export const attachmentDefinitionBinding: KubeBinding<'AttachmentDefinition'> = {
  resource: NETWORK_ATTACHMENT_DEFINITIONS,
  isOptional: true,
  place: namespacedPlace,
  nameOf: qualifiedNameOf,
  decode,
  encode: (definition) => {
    const { namespace, name } = definition
    return objectOf(NETWORK_ATTACHMENT_DEFINITIONS, { namespace, name }, patch(definition))
  },
  patch,
}

function decode(object: KubeObject): unknown {
  const resourceName = annotationOf(object, RESOURCE_NAME)
  const isName = resourceName !== undefined && resourceName !== '' && resourceName.length <= MAX_RESOURCE_NAME
  return {
    namespace: at(object, 'metadata', 'namespace'),
    name: nameOf(object),
    config: configIn(at(object, 'spec', 'config')),
    ...optionalField('resourceName', isName ? resourceName : undefined),
  }
}

/** Nothing at all stands for a file of the node; what cannot be read must not. */
function configIn(input: unknown): string {
  if (input === undefined) return ''
  return typeof input === 'string' && input.length <= MAX_CONFIG ? input : CONFIG_UNREADABLE
}

function patch({ config, resourceName }: AttachmentDefinition): MergePatch {
  return {
    metadata: { annotations: { [RESOURCE_NAME]: resourceName ?? null } },
    spec: { config: config === '' ? null : config },
  }
}

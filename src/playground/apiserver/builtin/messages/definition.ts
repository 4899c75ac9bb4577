/**
 * CustomResourceDefinitions.
 * @module
 */
import type { Messages } from './message.ts'

export const DEFINITION_MESSAGES = {
  CustomResourceDefinition: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has; the name is <plural>.<group>.'],
    spec: [2, 'CustomResourceDefinitionSpec', 'What is defined.'],
    status: [3, 'CustomResourceDefinitionStatus', 'What is served of it.'],
  },
  CustomResourceDefinitionSpec: {
    group: [1, 'string', 'The group of the objects.'],
    names: [3, 'CustomResourceDefinitionNames', 'What the objects are called.'],
    scope: [4, 'string', 'Namespaced or Cluster.'],
    versions: [7, '[]CustomResourceDefinitionVersion', 'The versions of the group that have the objects.'],
    conversion: [9, '*CustomResourceConversion', 'How versions become each other; None is all there is.'],
    preserveUnknownFields: [10, 'bool', 'Refused: say it in the schema.'],
  },
  CustomResourceDefinitionNames: {
    plural: [1, 'string', 'The name in paths.'],
    singular: [2, 'string', 'The name of one; the kind in lower case unless given.'],
    shortNames: [3, '[]string', 'Names for the hurried.'],
    kind: [4, 'string', 'The kind.'],
    listKind: [5, 'string', 'The kind of a list; <kind>List unless given.'],
    categories: [6, '[]string', 'Groups of resources that clients ask for at once, such as all.'],
  },
  CustomResourceDefinitionVersion: {
    name: [1, 'string', 'The version, such as v1.'],
    served: [2, 'bool', 'Whether it can be asked for.'],
    storage: [3, 'bool', 'Whether objects are kept in it; one version has to be so.'],
    schema: [4, '*CustomResourceValidation', 'What the objects look like.'],
    subresources: [5, '*CustomResourceSubresources', 'Parts of the objects with addresses of their own.'],
    additionalPrinterColumns: [6, '[]CustomResourceColumnDefinition', 'What kubectl get shows; the age unless given.'],
    deprecated: [7, 'bool', 'Whether clients are warned.'],
    deprecationWarning: [8, '*string', 'The words of the warning.'],
    selectableFields: [9, '[]SelectableField', 'Fields that field selectors may name.'],
  },
  CustomResourceValidation: {
    openAPIV3Schema: [1, '*Any', 'A structural schema. Fields that it does not have are not kept.'],
  },
  CustomResourceSubresources: {
    status: [1, '*Any', 'Makes the status a part of its own.'],
    scale: [2, '*CustomResourceSubresourceScale', 'Makes replicas a part of their own.'],
  },
  CustomResourceSubresourceScale: {
    specReplicasPath: [1, 'string', 'Where the wanted number stands, below .spec.'],
    statusReplicasPath: [2, 'string', 'Where the present number stands, below .status.'],
    labelSelectorPath: [3, '*string', 'Where the selector of the pods stands.'],
  },
  CustomResourceColumnDefinition: {
    name: [1, 'string', 'The heading.'],
    type: [2, 'string', 'string, integer, number, boolean or date.'],
    format: [3, 'string', 'A format of the type.'],
    description: [4, 'string', 'What stands in the column.'],
    priority: [5, 'int32', 'Above zero: only with -o wide.'],
    jsonPath: [6, 'string', 'What stands in it, as a path below the object.'],
  },
  CustomResourceConversion: {
    strategy: [1, 'string', 'None.'],
    webhook: [2, '*Any', 'Refused.'],
  },
  SelectableField: {
    jsonPath: [1, 'string', 'The path of the field.'],
  },
  CustomResourceDefinitionStatus: {
    conditions: [1, '[]CustomResourceDefinitionCondition', 'What is true of it at the moment.'],
    acceptedNames: [2, 'CustomResourceDefinitionNames', 'The names that are served.'],
    storedVersions: [3, '[]string', 'Versions in which objects may be kept.'],
  },
  CustomResourceDefinitionCondition: {
    type: [1, 'string', 'Such as Established or NamesAccepted.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastTransitionTime: [3, 'Time', 'Since when.'],
    reason: [4, 'string', 'Why, in one word.'],
    message: [5, 'string', 'Why, in words.'],
  },
} as const satisfies Messages

/**
 * Annotations of SpiderMultusConfigs and of what is made of them.
 * @module
 */

/** On a SpiderMultusConfig: what its definition is called; else as itself. */
export const DEFINITION_NAME = 'multus.spidernet.io/cr-name'

/** On a SpiderMultusConfig: the CNI version of its definition. */
export const CNI_VERSION = 'multus.spidernet.io/cni-version'

/** On a SpiderMultusConfig: the CNI network's name; else the definition's. */
export const CNI_NAME = 'cni.spidernet.io/cniconfig-name'

/** On a SpiderMultusConfig: pods that ask for it get its resource when they are created. */
export const INJECTIONS = ['cni.spidernet.io/rdma-resource-inject', 'cni.spidernet.io/network-resource-inject'] as const

/** On a definition: that the controller made it because the settings name it. */
export const MADE_FOR = 'weft.dev/made-for'

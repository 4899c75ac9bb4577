import { registryConformance } from './conformance.ts'
import { MemoryRegistry } from './memory.ts'

registryConformance('MemoryRegistry', (demands) => ({ registry: new MemoryRegistry(demands) }))

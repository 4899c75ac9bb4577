import { testScenario } from '../lab/testing.ts'
import { hostPorts } from './host-ports.ts'

testScenario(hostPorts)

import { testScenario } from '../lab/testing.ts'
import { capabilities } from './capabilities.ts'

testScenario(capabilities)

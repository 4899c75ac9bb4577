import { testScenario } from '../lab/testing.ts'
import { policy } from './policy.ts'

testScenario(policy)

import { testScenario } from '../lab/testing.ts'
import { bandwidth } from './bandwidth.ts'

testScenario(bandwidth)

import { testScenario } from '../lab/testing.ts'
import { services } from './services.ts'

testScenario(services)

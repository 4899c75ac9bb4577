import { testScenario } from '../lab/testing.ts'
import { tenancy } from './tenancy.ts'

testScenario(tenancy)

import { testScenario } from '../lab/testing.ts'
import { permissions } from './permissions.ts'

testScenario(permissions)

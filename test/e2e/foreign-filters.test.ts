import { testScenario } from '../lab/testing.ts'
import { foreignFilters } from './foreign-filters.ts'

testScenario(foreignFilters)

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['test/support/print-service.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    // Loading the AWS SDK and the rest anew for each file took half of the work of most. A test puts back what it changes
    // in its process.
    isolate: false,
  },
})

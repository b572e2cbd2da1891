import { defineConfig } from 'vitest/config';

const conditions = ['offbox-source', 'node', 'import', 'module', 'default'];

/** What needs root or Debian packages: FRR, net-snmp, rsyslog, OpenSSH, netconfd in network namespaces. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/lab/**/*.test.ts'],
    globalSetup: ['lab/real/install.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    fileParallelism: false,
  },
});

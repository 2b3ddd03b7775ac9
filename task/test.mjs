// Runs the unit tests: esbuild turns each into a file that every Node can run, then Node's own test runner has them.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const outdir = path.join(here, 'build', `tests-${process.version}`);
const tests = readdirSync(path.join(here, 'tests')).filter((name) => name.endsWith('.test.ts')).sort();

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: tests.map((name) => `tests/${name}`),
  outdir,
  bundle: true,
  // task-lib is the installed one, and the same for a test and what it tests.
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  sourcemap: 'inline',
  logLevel: 'warning',
});

const files = tests.map((name) => path.join(outdir, name.replace(/\.ts$/, '.cjs')));
// Without a temporary directory of the agent, the task library leaves its files in the working directory.
const env = { ...process.env, AGENT_TEMPDIRECTORY: outdir };
// A variable of the runner that started this one would have it take part in that one's run.
delete env.NODE_TEST_CONTEXT;
const flags = ['--enable-source-maps', '--test', '--test-reporter=spec'];
const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, ...files], { cwd: here, env, encoding: 'utf8' });
const passed = /^. pass (\d+)$/m.exec(stdout)?.[1];
const ok = status === 0 && passed !== undefined && passed !== '0';
console.log(ok ? `Node ${process.version}: ${passed} tests passed` : `Node ${process.version}:\n${stdout}${stderr}`);
process.exitCode = ok ? 0 : 1;

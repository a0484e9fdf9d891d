// Another version of Node, which npm's package `node` brings into build/.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders below `test` that need no SQLite, whose binary is of the Node that the packages were installed with. */
export const WITHOUT_SQLITE = ['gateway/transports', 'lib', 'protocol'];

/**
 * Installs a Node unless it is there.
 * @param version A version as npm takes it, e.g. `24` or `22.12.0`.
 * @returns The path of its program; null when it could not be installed, which npm has said.
 */
export function otherNode(version) {
  const folder = join('build', `node-${version}`);
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const program = join(folder, 'node_modules', 'node', 'bin', name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  // Its script puts the program of this platform in its place.
  writeFileSync(join(folder, 'package.json'), '{"private":true,"allowScripts":{"node":true}}\n');
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', `node@${version}`];
  spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  return existsSync(program) ? program : null;
}

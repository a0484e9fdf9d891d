import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A Python that has these packages of Debian; undefined where there is none. */
export function pythonWith(...packages: readonly string[]): string | undefined {
  return ['/usr/bin/python3', 'python3'].find((path) => {
    if (path.startsWith('/') && !existsSync(path)) return false;
    try {
      execFileSync(path, ['-c', `import ${packages.join(', ')}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** Why a test is left out where there is no such Python. */
export function noPythonWith(...packages: readonly string[]): string {
  const names = packages.map((name) => `python3-${name}`).join(' ');
  return `no Python has ${packages.join(' and ')} (apt-get install ${names})`;
}

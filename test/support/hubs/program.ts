import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
const writtenAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const BUNDLED = pathOf('src/command/main.js');

/** The command as users run it, bundled; its modules where somebody has compiled them since, without bundling them. */
export const PROGRAM =
  writtenAt(BUNDLED) > writtenAt(pathOf('src/.tsbuildinfo')) ? BUNDLED : pathOf('src/cli/main.js');

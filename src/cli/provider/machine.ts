import { statfsSync } from 'node:fs';
import { availableParallelism, machine, networkInterfaces, totalmem } from 'node:os';

const GB = 1024 ** 3;

/** What this machine can offer. */
export interface MachineOffer {
  /** The first non-loopback address; null if there is none. */
  ipAddress: string | null;
  platform: string;
  cpu: number;
  /** Whole GB, at least 1. */
  memory: number;
  /** Whole GB free on the file system of `folder`, at least 1. */
  storage: number;
}

/** Measures this machine. */
export function measureMachine(folder: string): MachineOffer {
  const disk = statfsSync(folder);
  const addresses = Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const preferred = addresses.find(({ family }) => family === 'IPv4') ?? addresses[0];
  const name = machine();
  return {
    ipAddress: preferred?.address ?? null,
    platform: name === 'aarch64' ? 'arm64' : name,
    cpu: availableParallelism(),
    memory: Math.max(1, Math.floor(totalmem() / GB)),
    storage: Math.max(1, Math.floor((disk.bavail * disk.bsize) / GB)),
  };
}

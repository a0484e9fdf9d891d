import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import type { Attributes } from '../../protocol/attributes.js';
import { LIMITS } from '../../protocol/limits.js';

/** Detected hardware that not every machine has. */
export interface Hardware {
  /** Number of GPUs. */
  gpus: number;
  /** `cpu_model`, `gpu_model` and `gpu_memory_gb`, where known. */
  attributes: Attributes;
}

export const NO_HARDWARE: Hardware = { gpus: 0, attributes: {} };

/** One GPU, as its driver describes it. */
interface Gpu {
  model: string;
  /** Whole GB; null if the driver does not report it. */
  memoryGb: number | null;
}

/** A driver that hangs must not keep the machine from advertising. */
const TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 65_536;
const QUERY = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];

/**
 * Detects the CPU model, and GPUs if `nvidia-smi` is installed. Omits what it cannot detect; takes five seconds at most.
 * @param program The command that lists GPUs.
 */
export async function findHardware(program = 'nvidia-smi', timeoutMs = TIMEOUT_MS): Promise<Hardware> {
  const gpus = readGpus(await outputOf(program, timeoutMs));
  const [first] = gpus;
  const cpuModel = tidy(cpus()[0]?.model ?? '');
  // Only a model that all GPUs share is reported.
  const areAlike = first !== undefined && gpus.every(({ model }) => model === first.model);
  const memoryGb = areAlike ? Math.min(...gpus.map((gpu) => gpu.memoryGb ?? 0)) : 0;
  return {
    gpus: gpus.length,
    attributes: {
      ...(cpuModel === '' || cpuModel === 'unknown' ? {} : { cpu_model: cpuModel }),
      ...(areAlike ? { gpu_model: first.model } : {}),
      ...(memoryGb > 0 ? { gpu_memory_gb: memoryGb } : {}),
    },
  };
}

/** Empty if the program is missing, fails or takes too long. */
function outputOf(program: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
    execFile(program, QUERY, options, (error, output) => {
      resolve(error === null ? output : '');
    });
  });
}

/** Parses lines such as `NVIDIA GeForce RTX 4090, 24564` (name and MiB of memory), and skips any other. */
export function readGpus(output: string): Gpu[] {
  return output.split('\n').flatMap((line) => {
    const [, name, memory] = /^(.+),\s*(\d+|\[.*\])\s*(?:MiB)?\s*$/.exec(line) ?? [];
    const model = tidy(name ?? '').replace(/^NVIDIA (?:GeForce )?/i, '');
    if (model === '') return [];
    const memoryGb = Math.round(Number(memory) / 1024);
    return [{ model, memoryGb: memoryGb > 0 ? memoryGb : null }];
  });
}

/** Cleans a text for use as an attribute: removes control characters, repeated spaces and trademark signs. */
function tidy(text: string): string {
  const clean = text
    .replace(/\((?:R|TM)\)/gi, '')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return Array.from(clean).slice(0, LIMITS.maxAttributeLength).join('').trim();
}

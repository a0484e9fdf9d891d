import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import type { Attributes } from '../../protocol/attributes.js';
import { LIMITS } from '../../protocol/limits.js';

/** What this machine has beyond what every machine has. */
export interface Hardware {
  /** How many GPUs. */
  gpus: number;
  /** `cpu_model`, `gpu_model` and `gpu_memory_gb`, as far as they are known. */
  attributes: Attributes;
}

export const NO_HARDWARE: Hardware = { gpus: 0, attributes: {} };

/** One GPU, as its driver describes it. */
interface Gpu {
  model: string;
  /** Whole GB; null where the driver does not say. */
  memoryGb: number | null;
}

/** A driver that hangs must not keep the machine from being advertised. */
const TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 65_536;
const QUERY = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];

/**
 * Looks for the model of the processor, and for GPUs with `nvidia-smi` where that is there. What cannot be found out is left
 * out; it takes five seconds at most.
 * @param program What to ask for GPUs.
 */
export async function findHardware(program = 'nvidia-smi', timeoutMs = TIMEOUT_MS): Promise<Hardware> {
  const gpus = readGpus(await outputOf(program, timeoutMs));
  const [first] = gpus;
  const cpuModel = tidy(cpus()[0]?.model ?? '');
  // A model is said only where it is that of every GPU.
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

/** Empty where the program is not there, fails, or takes too long. */
function outputOf(program: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
    execFile(program, QUERY, options, (error, output) => {
      resolve(error === null ? output : '');
    });
  });
}

/** Reads lines such as `NVIDIA GeForce RTX 4090, 24564`: the name and MiB of memory. Other lines say something else. */
export function readGpus(output: string): Gpu[] {
  return output.split('\n').flatMap((line) => {
    const [, name, memory] = /^(.+),\s*(\d+|\[.*\])\s*(?:MiB)?\s*$/.exec(line) ?? [];
    const model = tidy(name ?? '').replace(/^NVIDIA (?:GeForce )?/i, '');
    if (model === '') return [];
    const memoryGb = Math.round(Number(memory) / 1024);
    return [{ model, memoryGb: memoryGb > 0 ? memoryGb : null }];
  });
}

/** A text as an attribute takes it: without control characters, repeated blanks and what people print for trademarks. */
function tidy(text: string): string {
  const clean = text
    .replace(/\((?:R|TM)\)/gi, '')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return Array.from(clean).slice(0, LIMITS.maxAttributeLength).join('').trim();
}

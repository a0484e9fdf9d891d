import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import fc from '../support/properties.js';
import { scratchFolder } from '../process/hub-process.js';
import { TRANSPORTS } from '../support/hubs/test-hub.js';
import { frameScenario, runFrames } from './frame-driver.js';
import { FuzzHub } from './fuzz-hub.js';
import { HonestClients } from './honest.js';
import { requestScenario, runRequests, runWrecks, wreckScenario } from './http-driver.js';
import { COUNT, SEED, seedOfRound } from './scale.js';

/** Bytes by which a hub may hold more at the end than when a third was sent: caches fill, heaps are not exact. */
const GROWTH_BYTES = 16 * 1024 * 1024;

/** A failure is made smaller until this time is over, in milliseconds. */
const SHRINKING_MS = 60_000;

/** A hub that is replaced should it die, so that what killed it can be made smaller. */
class World {
  readonly #test: TestContext;
  readonly #transport: FuzzHub['transport'];
  hub!: FuzzHub;
  honest!: HonestClients;
  sent = 0;

  constructor(test: TestContext, transport: FuzzHub['transport']) {
    this.#test = test;
    this.#transport = transport;
  }

  async start(): Promise<void> {
    this.hub = await FuzzHub.start(scratchFolder(this.#test), this.#transport);
    this.honest = await HonestClients.join(this.hub, this.#test);
  }

  /** Fuzzes with one kind of scenario. */
  async fuzz<T>(
    scenario: fc.Arbitrary<T>,
    run: (hub: FuzzHub, input: T) => Promise<number>,
    parameters: { seed: number; numRuns: number },
  ): Promise<void> {
    const property = fc.asyncProperty(scenario, async (input) => {
      if (!this.hub.isRunning) await this.start();
      try {
        this.sent += await run(this.hub, input);
      } catch (error) {
        await this.hub.assertAlive(error);
        throw error;
      }
      this.hub.assertSound();
    });
    await fc.assert(property, { ...parameters, interruptAfterTimeLimit: SHRINKING_MS });
  }
}

describe('hostile frames and requests', { concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    test(`by the thousand leave a hub unimpressed (${transport})`, async (t) => {
      const world = new World(t, transport);
      await world.start();
      const count = COUNT / TRANSPORTS.length;
      const started = Date.now();
      const held = async (): Promise<number> => {
        const { heapUsed, external } = await world.hub.memory();
        return heapUsed + external;
      };
      let warm: number | null = null;
      for (let round = 0; world.sent < count; round += 1) {
        const seed = seedOfRound(round);
        await world.fuzz(frameScenario, runFrames, { seed, numRuns: 1 });
        await world.fuzz(requestScenario, runRequests, { seed, numRuns: 2 });
        await world.fuzz(wreckScenario, runWrecks, { seed, numRuns: 3 });
        await world.honest.check();
        if (warm === null && world.sent >= count / 3) warm = await held();
        if (round % 20 === 19) {
          const seconds = Math.round((Date.now() - started) / 1000);
          console.error(`  ${transport}: ${world.sent} of ${count} after ${seconds} s`);
        }
      }
      await world.honest.checkGone();
      const grown = (await held()) - (warm ?? 0);
      await world.honest.stop();
      assert.ok(grown < GROWTH_BYTES, `it holds ${grown} bytes more than when a third was sent`);
      assert.equal(await world.hub.process.stop(), 0);
      world.hub.assertClean();
      const seconds = Math.round((Date.now() - started) / 1000);
      t.diagnostic(`${world.sent} frames and requests in ${seconds} s, seed ${SEED}, memory ${grown} bytes`);
    });
  }
});

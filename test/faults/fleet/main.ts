import { Fleet } from './fleet.js';

/** A call of the test, and its answer. */
export interface FleetCall {
  id: number;
  method: 'join' | 'update' | 'state' | 'leave';
  argument: number;
}

export interface FleetAnswer {
  id: number;
  result?: unknown;
  error?: string;
}

const fleet = new Fleet(Number(process.argv[2]));

process.on('message', ({ id, method, argument }: FleetCall) => {
  Promise.resolve(fleet[method](argument)).then(
    (result) => process.send?.({ id, result } satisfies FleetAnswer),
    (error: unknown) => process.send?.({ id, error: (error as Error).message } satisfies FleetAnswer),
  );
});
// The test is gone.
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 } satisfies FleetAnswer);

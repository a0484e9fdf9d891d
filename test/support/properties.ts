import fc from 'fast-check';

// A property that fails prints its seed; `TEST_SEED=<whole number>` repeats it, as it does for all that is random.
const asked = process.env['TEST_SEED'];
if (asked !== undefined) fc.configureGlobal({ seed: Number(asked) });

export default fc;

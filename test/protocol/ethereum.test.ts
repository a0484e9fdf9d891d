import assert from 'node:assert/strict';
import test from 'node:test';
import { canonicalAddress } from '../../src/protocol/schemes/ethereum-address.js';
import { personalMessageHash } from '../../src/protocol/schemes/ethereum.js';
import { EIP191 } from '../../src/protocol/schemes/ethereum.js';
import { readProviderId } from '../../src/protocol/provider-id.js';
import { verifySignature } from '../../src/protocol/schemes/table.js';
import { signedBytes, type SignedFields, signedText } from '../../src/protocol/signing.js';
import { ethereumSigner } from '../../src/client/index.js';
import { fromHex, toHex } from '../../src/protocol/text.js';
import { loadLibsecp256k1, withNoble } from '../../src/registry/write/verifier/eip191.js';
import { ETHEREUM_VECTORS } from '../data/ethereum.js';
import { TestAccount } from '../support/data/ethereum.js';
import { randomOf } from '../support/random.js';

const native = loadLibsecp256k1();
const libraries = { noble: withNoble(), ...(native === null ? {} : { native }) };

/** What every implementation says, on the hub and in a browser; they have to agree. */
function isValid(fields: SignedFields, address: string, text: string): boolean {
  const signature = EIP191.canonicalSignature(text);
  if (signature === null) return false;
  const expected = verifySignature(EIP191, fields, address, signature);
  for (const [name, verify] of Object.entries(libraries)) {
    const said: boolean =
      EIP191.isAcceptable(address, signature) &&
      verify(
        Buffer.from(signedBytes(fields)),
        Buffer.from(EIP191.keyHex(address), 'hex'),
        Buffer.from(signature, 'hex'),
      );
    assert.equal(said, expected, `${name} on ${signature}`);
  }
  return expected;
}

test('the binary of libsecp256k1 is there on the platforms that it is made for', (t) => {
  const made = ['linux-x64', 'darwin-arm64', 'win32-x64'];
  if (made.includes(`${process.platform}-${process.arch}`)) assert.notEqual(native, null);
  else t.skip('it is not made for this one');
});

for (const vector of ETHEREUM_VECTORS) {
  test(`${vector.name} is ${vector.valid ? 'accepted' : 'refused'} by all implementations`, () => {
    const { action, providerId, t, payload } = vector;
    const fields: SignedFields = { action, providerId, t, payload };
    assert.equal(readProviderId(providerId)?.id, providerId);
    assert.equal(isValid(fields, providerId, vector.signature), vector.valid);
    assert.equal(isValid(fields, providerId, `0x${vector.signature}`), vector.valid);
    assert.equal(toHex(personalMessageHash(fromHex(vector.signedTextHex))), vector.hash);
    if (!vector.valid) return;
    assert.equal(toHex(signedBytes(fields)), vector.signedTextHex);
    assert.equal(vector.address, providerId);
  });
}

test('the signer of a private key has its address, and makes the very signatures of other implementations', () => {
  for (const { secretKey, address, signature, valid, ...fields } of ETHEREUM_VECTORS) {
    const signer = ethereumSigner(secretKey);
    assert.equal(signer.providerId, address);
    if (!valid) continue;
    const own = signer.sign(signedText(fields)) as string;
    assert.equal(own.slice(0, 128), signature.slice(0, 128));
    assert.equal(Number.parseInt(own.slice(128), 16) % 27, Number.parseInt(signature.slice(128), 16) % 27);
  }
});

test('both libraries say the same of signatures that were made, and of what became of them', (t) => {
  const random = randomOf(t);
  const below = (bound: number): number => Math.floor(random() * bound);
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => below(256));
  const accounts = Array.from({ length: 4 }, () => {
    const secret = bytes(32);
    secret[0] = 1;
    return new TestAccount(secret);
  });
  const verdicts = { made: 0, mutated: 0, stillValid: 0 };
  for (let round = 0; round < 60; round += 1) {
    const account = accounts[below(accounts.length)]!;
    const fields = {
      action: (['advertise', 'withdraw', 'session'] as const)[below(3)]!,
      providerId: account.address,
      t: below(2 ** 40),
      payload: 'ü'.repeat(below(300)),
    };
    const signature = account.sign(fields.action, fields.providerId, fields.t, fields.payload);
    assert.equal(isValid(fields, account.address, signature), true);
    verdicts.made += 1;
    const mutated = Buffer.from(signature, 'hex');
    switch (below(5)) {
      case 0:
        mutated[below(64)]! ^= 1 << below(8);
        break;
      case 1:
        mutated[64] = below(256);
        break;
      case 2:
        mutated.fill([0, 0xff][below(2)]!, 32 * below(2), 32 * (1 + below(2)));
        break;
      case 3:
        // Most r of the top of the range are not the coordinate of a point, or beyond the order.
        mutated.fill(0xff, 0, below(32));
        break;
      default:
        mutated.set(bytes(65));
        break;
    }
    const valid = isValid(fields, account.address, mutated.toString('hex'));
    verdicts.mutated += 1;
    if (!valid) continue;
    verdicts.stillValid += 1;
    // The other way of writing v is all that may change.
    assert.equal(mutated.toString('hex', 0, 64), signature.slice(0, 128));
    assert.equal(mutated[64]! % 27, Number.parseInt(signature.slice(128), 16) % 27);
  }
  assert.ok(verdicts.made === 60 && verdicts.stillValid < verdicts.mutated / 2);
});

test('r and s that are in order, but beyond what any point has, are refused without an exception', () => {
  const { providerId, action, t, payload } = ETHEREUM_VECTORS[0]!;
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const text = (value: bigint): string => value.toString(16).padStart(64, '0');
  for (const r of [0n, 1n, 5n, order - 1n, order, order + 1n, 2n ** 256n - 1n])
    for (const s of [0n, 1n, order / 2n, order / 2n + 1n, order - 1n, order])
      for (const v of ['1b', '1c', '1d', '02']) {
        const fields = { providerId, action, t, payload };
        assert.equal(isValid(fields, providerId, text(r) + text(s) + v), false);
      }
});

test('what is not the form of a signature is none', () => {
  const digits = 'ab'.repeat(64) + '1b';
  assert.equal(EIP191.canonicalSignature(digits), digits);
  assert.equal(EIP191.canonicalSignature(`0x${digits}`), digits);
  for (const odd of [
    '',
    '0x',
    `0X${digits}`,
    digits.toUpperCase(),
    digits.slice(2),
    `${digits}00`,
    `0x0x${digits}`,
  ])
    assert.equal(EIP191.canonicalSignature(odd), null, odd);
});

test('an address has one canonical form, that of EIP-55, which its checksum guards', (t) => {
  // From the text of EIP-55.
  const known = [
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
    '0xde709f2102306220921060314715629080e2fb77',
    '0x27b1fdb04752bbc536007a920d24acb045561c26',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ];
  const random = randomOf(t);
  for (const address of known) {
    const digits = address.slice(2);
    for (const spelling of [address, `0x${digits.toLowerCase()}`, `0x${digits.toUpperCase()}`])
      assert.equal(canonicalAddress(spelling), address);
    const letters = [...digits.matchAll(/[a-f]/gi)].map(({ index }) => index);
    const at = letters[Math.floor(random() * letters.length)]!;
    const letter = digits[at]!;
    const flipped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    const wrong = `0x${digits.slice(0, at)}${flipped}${digits.slice(at + 1)}`;
    assert.equal(canonicalAddress(wrong), null, wrong);
    assert.equal(readProviderId(wrong), null);
    for (const odd of [
      digits,
      `0X${digits}`,
      address.slice(0, -1),
      `${address}0`,
      ` ${address}`,
      `${address}\n`,
    ])
      assert.equal(canonicalAddress(odd), null, odd);
  }
});

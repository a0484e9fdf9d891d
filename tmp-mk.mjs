// src/lib/typed-arrays.ts
function grown(from, into) {
  into.set(from);
  return into;
}

// src/lib/arena.ts
var UNIT = 16;
var SLAB_BYTES = 1 << 20;
var UNITS_PER_SLAB = SLAB_BYTES / UNIT;
var Arena = class {
  #slabs = [];
  #nextUnit = 0;
  /** Freed addresses by size class, the class being its number of units. */
  #free = /* @__PURE__ */ new Map();
  #usedBytes = 0;
  /** Bytes in use, rounding included. */
  get usedBytes() {
    return this.#usedBytes;
  }
  /** Bytes taken from the system. */
  get reservedBytes() {
    return this.#slabs.length * SLAB_BYTES;
  }
  /** Finds room for so many bytes. */
  allocate(bytes) {
    const units = sizeClass(bytes);
    this.#usedBytes += units * UNIT;
    const reused = this.#free.get(units)?.pop();
    if (reused !== void 0) return reused;
    const left = this.#slabs.length * UNITS_PER_SLAB - this.#nextUnit;
    if (left < units) {
      this.#reuseTail(left);
      this.#nextUnit = this.#slabs.length * UNITS_PER_SLAB;
      this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
    }
    const address = this.#nextUnit;
    this.#nextUnit += units;
    return address;
  }
  /**
   * Takes over a slab that was filled elsewhere, with allocations that lie `roomFor` their bytes apart.
   * @param bytes How much of it is filled.
   * @returns The address of its first byte.
   */
  adopt(slab, bytes) {
    this.#reuseTail(this.#slabs.length * UNITS_PER_SLAB - this.#nextUnit);
    const address = this.#slabs.length * UNITS_PER_SLAB;
    this.#slabs.push(slab);
    this.#usedBytes += bytes;
    this.#nextUnit = address + bytes / UNIT;
    return address;
  }
  /** Gives the room of an allocation of so many bytes back. */
  release(address, bytes) {
    const units = sizeClass(bytes);
    this.#usedBytes -= units * UNIT;
    this.#freeList(units).push(address);
  }
  /** The slab that an address lies in. */
  slab(address) {
    return this.#slabs[Math.floor(address / UNITS_PER_SLAB)];
  }
  /** The byte within the slab at which an address begins. */
  offset(address) {
    return address % UNITS_PER_SLAB * UNIT;
  }
  /** A view of the bytes at an address; it is only good until they are released. */
  view(address, bytes) {
    const offset = this.offset(address);
    return this.slab(address).subarray(offset, offset + bytes);
  }
  /** Copies the bytes at an address to a place in `target`, without the cost of a view that outlives it. */
  copy(address, bytes, target, position) {
    const slab = this.slab(address);
    target.set(new Uint8Array(slab.buffer, slab.byteOffset + this.offset(address), bytes), position);
  }
  #freeList(units) {
    let list = this.#free.get(units);
    if (list === void 0) {
      list = [];
      this.#free.set(units, list);
    }
    return list;
  }
  /** Hands the end of a slab that is too short for the next allocation to the free lists. */
  #reuseTail(left) {
    while (left > 0) {
      const units = classBelow(left);
      this.#freeList(units).push(this.#nextUnit);
      this.#nextUnit += units;
      left -= units;
    }
  }
};
function sizeClass(bytes) {
  const units = Math.max(1, Math.ceil(bytes / UNIT));
  const step2 = classStep(units);
  return Math.ceil(units / step2) * step2;
}
function classBelow(units) {
  const step2 = classStep(units);
  return Math.floor(units / step2) * step2;
}
function classStep(units) {
  return units <= 64 ? 1 : 1 << 26 - Math.clz32(units - 1);
}

// src/protocol/filters/conditions.ts
import * as z5 from "zod";

// src/protocol/advertisement.ts
import * as z3 from "zod";

// src/protocol/attributes.ts
import * as z2 from "zod";

// src/protocol/limits.ts
var LIMITS = {
  /** Bytes of a WebSocket frame; a larger one closes the connection with 1009. */
  maxFrameBytes: 64 * 1024,
  /** Bytes of an HTTP request body, and of the payload of an `advertise` frame. */
  maxBodyBytes: 16 * 1024,
  /** Bytes of an HTTP query string. */
  maxQueryBytes: 8 * 1024,
  /** Containers within containers in a frame or body. */
  maxDepth: 16,
  /** Members and elements, all containers of one frame taken together. */
  maxValues: 4096,
  /** Characters of a request's `id` where it is a string. */
  maxRequestIdLength: 64,
  /** Milliseconds by which a signature's time may differ from the hub's. */
  maxClockSkewMs: 3e5,
  /** Milliseconds without a heartbeat after which a name no longer belongs to its key. */
  bindingLifetimeMs: 30 * 24 * 36e5,
  /**
   * Milliseconds for which the newest signed time of a key id is remembered that has no advertisement. Nothing that it
   * signed before can be accepted any more after twice the skew.
   */
  keyMemoryMs: 18e5,
  maxCpu: 4096,
  maxMemory: 65536,
  maxStorage: 1e7,
  maxExtraResources: 13,
  maxExtraPrices: 10,
  maxPriceTextLength: 64,
  maxPlatformLength: 32,
  maxNameLength: 64,
  maxNetworkLength: 64,
  maxAttributes: 32,
  /** Characters of an attribute that is a text. */
  maxAttributeLength: 64,
  /** Values in one list of a filter, e.g. countries. */
  maxFilterValues: 256,
  /** Attributes and further resources that a filter may ask for, taken together. */
  maxFilterFacts: 16,
  /** Provider ids that a filter may leave out. */
  maxExcluded: 100,
  /** Advertisements in one list page when `limit` is given. */
  maxPageSize: 1e3,
  /** Advertisements in one `snapshot` frame. */
  maxSnapshotBatch: 500,
  /** Milliseconds within which a connection has to authenticate or subscribe. */
  admissionMs: 1e4,
  /** Heartbeat intervals without a sign of life after which a connection is closed. */
  missedHeartbeats: 2.5,
  /** Milliseconds in which a provider may ask once who sees it. */
  visibilityMs: 5e3,
  /** Milliseconds between two bookmarks on a quiet connection; the contract says at least every 30 s. */
  bookmarkMs: 2e4
};

// src/protocol/values.ts
import * as z from "zod";

// src/protocol/text.ts
var encoder = new TextEncoder();
var strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function utf8(text) {
  return encoder.encode(text);
}
var LONE_SURROGATE = /\p{Surrogate}/u;
function isWellFormed(text) {
  return !LONE_SURROGATE.test(text);
}
function toWellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}
var CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
function hasControlCharacters(text) {
  return CONTROL.test(text);
}
function characterCount(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
function toHex(bytes) {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
function fromHex(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

// src/protocol/values.ts
var FACT_NAME = /^[a-z][a-z0-9_]{0,31}$/;
function boundedText(max) {
  return z.string("must be a string").refine((text) => text.length > 0 && text.length <= 2 * max && characterCount(text) <= max, {
    message: `must have 1 to ${String(max)} characters`,
    abort: true
  }).refine(isWellFormed, { message: "must be well-formed Unicode, without lone surrogates", abort: true }).refine((text) => !hasControlCharacters(text), "must not contain control characters").meta({ minLength: 1, maxLength: max });
}
function amount(min, max) {
  const message = `must be an integer from ${String(min)} to ${String(max)}`;
  return z.int(message).min(min, message).max(max, message);
}
function extraMembers(known2, max, check) {
  return (object4, context) => {
    const extra = Object.keys(object4).filter((name) => !known2.has(name));
    if (extra.length > max) {
      context.addIssue({
        code: "custom",
        message: `has ${String(extra.length)} further members, at most ${String(max)} are allowed`
      });
      return;
    }
    for (const name of extra) {
      const problem = check(name, object4[name]);
      if (problem !== null) {
        context.addIssue({ code: "custom", path: [name.slice(0, 64)], message: problem });
      }
    }
  };
}

// src/protocol/attributes.ts
var NO_ATTRIBUTE_NAME = "is not an attribute name: use a lower-case letter, then up to 31 of a-z, 0-9 and _";
var attributeValue = z2.union(
  // Minus nought is nought.
  [boundedText(LIMITS.maxAttributeLength), z2.number().transform((value) => value + 0), z2.boolean()],
  {
    error: ({ input, errors }) => typeof input === "string" ? errors[0]?.[0]?.message : "must be a text of 1 to 64 characters, a finite number or a boolean"
  }
);
var attributesSchema = z2.object({}, "must be an object of attributes").catchall(attributeValue).superRefine((attributes2, context) => {
  const names = Object.keys(attributes2);
  const { maxAttributes } = LIMITS;
  if (names.length > maxAttributes) {
    const message = `has ${String(names.length)} members, at most ${String(maxAttributes)} are allowed`;
    context.addIssue({ code: "custom", message });
  }
  const wrong = names.find((name) => !FACT_NAME.test(name));
  if (wrong !== void 0)
    context.addIssue({ code: "custom", path: [wrong.slice(0, 64)], message: NO_ATTRIBUTE_NAME });
}).transform((attributes2) => attributes2);

// src/protocol/countries.ts
var ASSIGNED = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
var COUNTRIES = ASSIGNED.split(" ");
var known = new Set(COUNTRIES);
var ALIASES = /* @__PURE__ */ new Map([
  ["UK", "GB"],
  ["EL", "GR"]
]);
function canonicalCountry(code) {
  return ALIASES.get(code) ?? code;
}
function isAssignedCountry(code) {
  return known.has(code);
}

// src/protocol/errors.ts
var ProtocolError = class extends Error {
  name = "ProtocolError";
  code;
  /** Whether nothing is wrong with the request, and the hub cannot do it at the moment: some codes stand for both. */
  unavailable;
  /** How long to wait before trying again; null where that is not known, or does not help. */
  retryAfterSeconds;
  constructor(code, message, options = {}) {
    super(toWellFormed(message), options.cause === void 0 ? void 0 : { cause: options.cause });
    this.code = code;
    this.unavailable = options.unavailable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
  /** @param wallMs Unix time in milliseconds. */
  toBody(wallMs) {
    return { code: this.code, message: this.message, timestamp: new Date(wallMs).toISOString() };
  }
};

// src/protocol/advertisement.ts
var countryCode = z3.string('must be a two-letter ISO 3166-1 code such as "SE"').transform((code) => /^[A-Za-z]{2}$/.test(code) ? canonicalCountry(code.toUpperCase()) : code).refine(isAssignedCountry, 'must be an assigned ISO 3166-1 alpha-2 code such as "SE"').meta({ pattern: "^[A-Za-z]{2}$", example: "SE" });
var ipAddress = z3.union([z3.ipv4(), z3.ipv6()], "must be an IPv4 or IPv6 address without leading zeros, port or brackets").meta({ example: "203.0.113.7" });
var KNOWN_RESOURCES = /* @__PURE__ */ new Set(["cpu", "memory", "storage"]);
var resourcesSchema = z3.looseObject(
  {
    cpu: amount(1, LIMITS.maxCpu).describe("Cores"),
    memory: amount(1, LIMITS.maxMemory).describe("GB of memory"),
    storage: amount(1, LIMITS.maxStorage).describe("GB of disk")
  },
  "must be an object with cpu, memory and storage"
).superRefine(
  extraMembers(KNOWN_RESOURCES, LIMITS.maxExtraResources, (name, value) => {
    if (!FACT_NAME.test(name)) {
      return "is not a resource name: use a lower-case letter, then up to 31 of a-z, 0-9 and _";
    }
    return Number.isSafeInteger(value) && value >= 0 ? null : "must be an integer of at least 0";
  })
).transform(
  (resources) => resources
);
var PRICE_MEMBERS = [
  "usd_per_core_month",
  "usd_per_gb_ram_month",
  "usd_per_gb_storage_month",
  "glm_per_core_month",
  "glm_per_gb_ram_month",
  "glm_per_gb_storage_month"
];
var price = z3.number("must be a finite number of at least 0").min(0, "must be a finite number of at least 0").optional();
var KNOWN_PRICES = new Set(PRICE_MEMBERS);
var pricingSchema = z3.looseObject(
  {
    usd_per_core_month: price,
    usd_per_gb_ram_month: price,
    usd_per_gb_storage_month: price,
    glm_per_core_month: price,
    glm_per_gb_ram_month: price,
    glm_per_gb_storage_month: price
  },
  "must be an object of prices"
).superRefine(
  extraMembers(KNOWN_PRICES, LIMITS.maxExtraPrices, (name, value) => {
    if (name.length === 0 || name.length > 64 || !isWellFormed(name) || hasControlCharacters(name)) {
      return "is not a usable member name: use 1 to 64 printable characters";
    }
    if (typeof value === "number") return Number.isFinite(value) ? null : "must be a finite number";
    if (typeof value !== "string") return "must be a number or a string";
    if (characterCount(value) > LIMITS.maxPriceTextLength) return "must have at most 64 characters";
    if (!isWellFormed(value)) return "must be well-formed Unicode, without lone surrogates";
    return hasControlCharacters(value) ? "must not contain control characters" : null;
  })
).transform((pricing) => pricing);
var endpointSchema = z3.object(
  { port: amount(1, 65535).describe("A TCP port") },
  "must be an object with a port"
);
var advertisementSchema = z3.object(
  {
    ip_address: ipAddress,
    country: countryCode,
    resources: resourcesSchema,
    platform: boundedText(LIMITS.maxPlatformLength).nullish().meta({ example: "x86_64" }),
    pricing: pricingSchema.nullish(),
    name: boundedText(LIMITS.maxNameLength).nullish(),
    payments_network: boundedText(LIMITS.maxNetworkLength).nullish(),
    attributes: attributesSchema.nullish(),
    endpoint: endpointSchema.nullish()
  },
  "an advertisement must be a JSON object"
);

// src/protocol/schemes/ed25519.ts
import * as curve from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2";
curve.hashes.sha512 = sha512;
var KEY_PATTERN = /^[0-9a-f]{64}$/;
var SIGNATURE_PATTERN = /^[0-9a-f]{128}$/;
var numberOf = (bytes) => BigInt(`0x${toHex(bytes.slice().reverse())}`);
function verifyExactly(bytes, key, signature) {
  try {
    const order = curve.Point.CURVE().n;
    const r = signature.slice(0, 64);
    const point = curve.Point.fromBytes(fromHex(key));
    const hash = sha512.create().update(fromHex(r)).update(fromHex(key)).update(bytes).digest();
    const challenge = numberOf(hash) % order;
    const s = numberOf(fromHex(signature.slice(64)));
    return curve.Point.BASE.multiply(s, false).subtract(point.multiply(challenge, false)).toHex() === r;
  } catch {
    return false;
  }
}
var SMALL_ORDER_Y = /* @__PURE__ */ new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
]);
var FIELD_PRIME = `7f${"ff".repeat(30)}ed`;
var GROUP_ORDER = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
function reverseHex(hex) {
  let reversed = "";
  for (let i = hex.length; i > 0; i -= 2) reversed += hex.slice(i - 2, i);
  return reversed;
}
function yOf(point) {
  const lastByte = Number.parseInt(point.slice(62), 16) & 127;
  return point.slice(0, 62) + lastByte.toString(16).padStart(2, "0");
}
function isAcceptablePublicKey(publicKey) {
  if (!KEY_PATTERN.test(publicKey)) return false;
  const y = yOf(publicKey);
  return !SMALL_ORDER_Y.has(y) && (!y.endsWith("7f") || reverseHex(y) < FIELD_PRIME);
}
function isAcceptableSignature(signature) {
  if (!SIGNATURE_PATTERN.test(signature) || SMALL_ORDER_Y.has(yOf(signature.slice(0, 64)))) return false;
  return signature.charAt(126) === "0" || reverseHex(signature.slice(64)) < GROUP_ORDER;
}
var ED25519 = {
  name: "ed25519",
  signers: "Ed25519 keys",
  headerField: "v1",
  headerForm: "t=<Unix milliseconds>,k=<public key>,v1=<signature>",
  sentKey: { pattern: KEY_PATTERN, form: "64 lower-case hex digits" },
  signaturePattern: SIGNATURE_PATTERN,
  signatureForm: "128 lower-case hex digits",
  keyBytes: 32,
  signatureBytes: 64,
  idKind: "key",
  idPattern: KEY_PATTERN,
  canonicalId: (text) => KEY_PATTERN.test(text) ? text : null,
  keyHex: (key) => key,
  canonicalSignature: (text) => SIGNATURE_PATTERN.test(text) ? text : null,
  isAcceptable: (key, signature) => isAcceptablePublicKey(key) && isAcceptableSignature(signature),
  verify: verifyExactly
};

// src/protocol/schemes/ethereum.ts
import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { keccak_256 } from "@noble/hashes/sha3";
import * as curve2 from "@noble/secp256k1";
curve2.hashes.sha256 = sha256;
curve2.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);
var PREHASHED = { prehash: false };
var ADDRESS_PATTERN = /^0x[0-9a-fA-F]{40}$/;
var SIGNATURE_PATTERN2 = /^(?:0x)?[0-9a-f]{130}$/;
function checksummed(digits) {
  const hash = toHex(keccak_256(utf8(digits)));
  let address = "0x";
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charAt(at);
    address += hash.charAt(at) >= "8" ? digit.toUpperCase() : digit;
  }
  return address;
}
function canonicalAddress(text) {
  if (!ADDRESS_PATTERN.test(text)) return null;
  const digits = text.slice(2);
  const lower = digits.toLowerCase();
  const canonical = checksummed(lower);
  return digits === lower || digits === digits.toUpperCase() || text === canonical ? canonical : null;
}
function addressDigits(publicKey) {
  return toHex(keccak_256(publicKey.subarray(1)).subarray(12));
}
var PREFIX = "Ethereum Signed Message:\n";
function personalMessageHash(message) {
  return keccak_256.create().update(utf8(`${PREFIX}${String(message.length)}`)).update(message).digest();
}
var GROUP_ORDER2 = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
var HALF_ORDER = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
var ZERO = "0".repeat(64);
var RECOVERY_IDS = { 0: 0, 1: 1, 27: 0, 28: 1 };
function recoveryId(v) {
  return RECOVERY_IDS[v];
}
function isAcceptableSignature2(signature) {
  const r = signature.slice(0, 64);
  const s = signature.slice(64, 128);
  const inRange = r !== ZERO && r < GROUP_ORDER2 && s !== ZERO && s <= HALF_ORDER;
  return inRange && recoveryId(Number.parseInt(signature.slice(128), 16)) !== void 0;
}
function recoverAddress(message, signature) {
  try {
    const recovery = recoveryId(Number.parseInt(signature.slice(128), 16));
    const recoverable = fromHex(`0${String(recovery)}${signature.slice(0, 128)}`);
    const publicKey = curve2.recoverPublicKey(recoverable, personalMessageHash(message), PREHASHED);
    return addressDigits(curve2.Point.fromBytes(publicKey).toBytes(false));
  } catch {
    return null;
  }
}
var EIP191 = {
  name: "eip191",
  signers: "Ethereum accounts (EIP-191)",
  headerField: "e1",
  headerForm: "t=<Unix milliseconds>,e1=<r, s and v>",
  sentKey: null,
  signaturePattern: SIGNATURE_PATTERN2,
  signatureForm: "130 lower-case hex digits (r, s, v) with or without 0x",
  keyBytes: 20,
  signatureBytes: 65,
  idKind: "ethereum",
  idPattern: ADDRESS_PATTERN,
  canonicalId: canonicalAddress,
  keyHex: (key) => key.slice(2).toLowerCase(),
  canonicalSignature: (text) => SIGNATURE_PATTERN2.test(text) ? text.slice(text.length - 130) : null,
  isAcceptable: (key, signature) => ADDRESS_PATTERN.test(key) && SIGNATURE_PATTERN2.test(signature) && signature.length === 130 && isAcceptableSignature2(signature),
  verify: (bytes, key, signature) => recoverAddress(bytes, signature) === key.slice(2).toLowerCase()
};

// src/protocol/schemes/table.ts
var SCHEMES = [ED25519, EIP191];
var NAME_SCHEME = ED25519;
function anyOf(patterns) {
  return new RegExp(patterns.map(({ source }) => source).join("|"));
}
var SENT_KEYS = SCHEMES.flatMap(({ sentKey }) => sentKey ?? []);
var KEY_PATTERN2 = anyOf(SENT_KEYS.map(({ pattern }) => pattern));
var KEY_FORM = SENT_KEYS.map(({ form }) => form).join(" or ");
var SIGNATURE_PATTERN3 = anyOf(SCHEMES.map(({ signaturePattern }) => signaturePattern));
var SIGNATURE_FORM = SCHEMES.map(({ signatureForm }) => signatureForm).join(" or ");

// src/protocol/provider-id.ts
var PROVIDER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
var LOOKALIKE_PATTERN = /^(?:[0-9a-f]{64}|0x[0-9a-f]{40})$/i;
function readProviderId(text) {
  for (const scheme of SCHEMES) {
    const id = scheme.canonicalId(text);
    if (id !== null) return { id, kind: scheme.idKind, scheme };
  }
  if (!PROVIDER_ID_PATTERN.test(text) || LOOKALIKE_PATTERN.test(text)) return null;
  return { id: text, kind: "name", scheme: NAME_SCHEME };
}
function schemeOf(providerId2) {
  return ownSchemeOf(providerId2) ?? NAME_SCHEME;
}
function ownSchemeOf(providerId2) {
  return SCHEMES.find(({ idPattern }) => idPattern.test(providerId2));
}

// src/protocol/filters/facts.ts
import * as z4 from "zod";
var MANY = `must have 1 to ${String(LIMITS.maxFilterValues)} values`;
var bound = z4.number("must be a finite number").transform((value) => value + 0).optional();
var range = z4.strictObject({ min: bound, max: bound }, "a range has only min and max").refine(({ min, max }) => min !== void 0 || max !== void 0, "a range has min, max or both").refine(({ min, max }) => (min ?? -Infinity) <= (max ?? Infinity), "min must not be more than max").transform(({ min, max }) => ({
  ...min === void 0 ? {} : { min },
  ...max === void 0 ? {} : { max }
}));
var values = z4.array(attributeValue).min(1, MANY).max(LIMITS.maxFilterValues, MANY);
var asked = z4.union([attributeValue.transform((value) => [value]), values, range], {
  // Says what is wrong with the form that was meant.
  error: ({ errors, input }) => {
    if (typeof input !== "object" || input === null) return errors[0]?.[0]?.message;
    return errors[Array.isArray(input) ? 1 : 2]?.[0]?.message;
  }
}).transform((form) => Array.isArray(form) ? sortedValues(form) : form);
function sortedValues(all) {
  const sorted = (type) => [...new Set(all.filter((value) => typeof value === type))].sort((a, b) => a < b ? -1 : 1);
  return [...sorted("string"), ...sorted("number"), ...sorted("boolean")];
}
function sortedByName(object4) {
  return Object.fromEntries(Object.entries(object4).sort(([a], [b]) => a < b ? -1 : 1));
}
function namesAreFine(problemOf) {
  return (object4, context) => {
    for (const name of Object.keys(object4)) {
      const message = problemOf(name);
      if (message === null) continue;
      context.addIssue({ code: "custom", path: [name.slice(0, 64)], message });
      return;
    }
    if (Object.keys(object4).length === 0)
      context.addIssue({ code: "custom", message: "must have at least one member" });
  };
}
var askedAttributes = z4.object({}, "must be an object of attributes").catchall(asked).superRefine(namesAreFine((name) => FACT_NAME.test(name) ? null : NO_ATTRIBUTE_NAME)).transform((object4) => sortedByName(object4));
var leastAmount = `must be an integer from 0 to ${String(Number.MAX_SAFE_INTEGER)}`;
var askedResources = z4.object({}, "must be an object of amounts").catchall(z4.int(leastAmount).min(0, leastAmount)).superRefine(
  namesAreFine((name) => {
    if (KNOWN_RESOURCES.has(name)) return `is asked for as ${name}, without "min"`;
    return FACT_NAME.test(name) ? null : "is not a resource name: use a lower-case letter, then up to 31 of a-z, 0-9 and _";
  })
).transform((object4) => sortedByName(object4));

// src/protocol/filters/conditions.ts
function oneOrMany(schema) {
  const tooMany = `must have 1 to ${String(LIMITS.maxFilterValues)} values`;
  const list = z5.array(schema).min(1, tooMany).max(LIMITS.maxFilterValues, tooMany);
  return z5.union([schema.transform((value) => [value]), list], {
    // Says what is wrong with the form that was meant, instead of that neither of the two fits.
    error: ({ errors, input }) => errors[Array.isArray(input) ? 1 : 0]?.[0]?.message
  }).transform((values2) => [...new Set(values2)].sort());
}
function atLeast(max, about) {
  return { kind: "at-least", schema: amount(1, max).optional(), ...about };
}
function oneOf(value, all, about) {
  const description = "Equal to one of these; repeated or comma-separated";
  return { kind: "one-of", schema: oneOrMany(value).optional(), all, description, ...about };
}
function noneOf(value, of, about) {
  return { kind: "none-of", schema: oneOrMany(value).optional(), of, ...about };
}
var providerId = z5.string("must be a provider id").transform((text) => readProviderId(text)?.id ?? "").refine((id) => id !== "", "must be a provider id");
function notThese(max, about) {
  const tooMany = `must have 1 to ${String(max)} provider ids`;
  const schema = z5.array(providerId, "must be a list of provider ids").min(1, tooMany).max(max, tooMany).transform((ids) => [...new Set(ids)].sort()).optional();
  return { kind: "not-these", schema, ...about };
}
function atMost(currency, about) {
  const problem = "must be a finite number of at least 0";
  const schema = z5.number(problem).min(0, problem).optional();
  return { kind: "at-most", schema, currency, ...about };
}
function only(value, problem, about) {
  return { kind: "only", schema: z5.literal(value, problem).optional(), value, ...about };
}
function attributes(about) {
  return { kind: "attributes", schema: askedAttributes.optional(), ...about };
}
function furtherResources(about) {
  return { kind: "further-resources", schema: askedResources.optional(), ...about };
}
var CONDITIONS = {
  cpu: atLeast(LIMITS.maxCpu, {
    description: "At least so many cores",
    flag: { form: "--cpu <cores>", help: "at least so many cores" }
  }),
  memory: atLeast(LIMITS.maxMemory, {
    description: "At least so many GB of memory",
    flag: { form: "--memory <gb>", help: "at least so many GB of memory" }
  }),
  storage: atLeast(LIMITS.maxStorage, {
    description: "At least so many GB of disk",
    flag: { form: "--storage <gb>", help: "at least so many GB of disk" }
  }),
  country: oneOf(countryCode, COUNTRIES, {
    flag: { form: "--country <codes>", help: "one of these countries, e.g. SE,NO" }
  }),
  platform: oneOf(boundedText(LIMITS.maxPlatformLength), null, {
    flag: { form: "--platform <names>", help: "one of these platforms, e.g. x86_64" }
  }),
  payments_network: oneOf(boundedText(LIMITS.maxNetworkLength), null, {
    flag: { form: "--payments-network <names>", help: "one of these payment networks" }
  }),
  max_usd_per_month: atMost("usd", {
    description: "The estimate for the asked amounts is at most this; providers without the three prices do not match",
    flag: {
      form: "--max-usd <amount>",
      help: "at most so many US dollars a month for the amounts asked for"
    }
  }),
  max_glm_per_month: atMost("glm", {
    description: "The same with the prices in GLM: at most so many GLM; providers without the three prices do not match",
    flag: { form: "--max-glm <amount>", help: "at most so many GLM a month for the amounts asked for" }
  }),
  not_country: noneOf(countryCode, "country", {
    description: "Leaves these countries out; repeated or comma-separated",
    flag: { form: "--not-country <codes>", help: "none of these countries, e.g. SE,NO" }
  }),
  exclude: notThese(LIMITS.maxExcluded, {
    description: `Leaves these providers out, up to ${String(LIMITS.maxExcluded)} ids; repeated or comma-separated`,
    flag: { form: "--exclude <ids>", help: "none of these providers" }
  }),
  status: only("live", 'can only be "live"; leave it out to see suspects too', {
    description: "`live` leaves suspects out",
    flag: { form: "--live", help: "leave out providers whose connection was lost" }
  }),
  verified: only(true, "can only be true; leave it out to see unsigned advertisements too", {
    description: "`true` leaves out what its provider did not sign",
    flag: { form: "--verified", help: "leave out what was not signed" }
  }),
  ip_confirmed: only(true, "can only be true; leave it out to see all", {
    description: "`true` leaves out whom the hub has not seen at the advertised address",
    flag: { form: "--ip-confirmed", help: "leave out whom the hub has not seen at the advertised address" }
  }),
  min: furtherResources({
    description: "At least so much of this further resource, e.g. `min.gpu=2`; who has none has 0",
    flag: { form: "--min <resource=amount>", help: "at least so much of a further resource, e.g. gpu=2" }
  }),
  attributes: attributes({
    description: "The attribute equals one of these, repeated or comma-separated; what reads as a number or a boolean equals both that and the text. `attr.<name>.min` and `attr.<name>.max`: it is a number in this range",
    flag: {
      form: "--attr <name=value>",
      help: 'an attribute with this value, e.g. gpu_model="RTX 4090", or a number in a range, e.g. bandwidth_mbps:100..'
    }
  })
};
var CONDITION_NAMES = Object.keys(CONDITIONS);
function namesOfKind(kind) {
  return CONDITION_NAMES.filter((name) => CONDITIONS[name].kind === kind);
}

// src/protocol/filters/estimate.ts
function priceMembers(currency) {
  return [
    `${currency}_per_core_month`,
    `${currency}_per_gb_ram_month`,
    `${currency}_per_gb_storage_month`
  ];
}
function monthlyCost(core, memory, storage, asked2) {
  return core * asked2.cpu + memory * asked2.memory + storage * asked2.storage;
}

// src/registry/store/row-prefilter.ts
var SPARE = 1 << 6 | 1 << 14 | 1 << 22;
var RANKS = (1 << 23) - 1;
function outlineOf(cpu2, memory, storage, country) {
  return rank(cpu2) | rank(memory) << 7 | rank(storage) << 15 | country << 23;
}
function mayMatch(row, asked2, countries) {
  const missing = (row & RANKS | SPARE) - asked2 & SPARE ^ SPARE;
  return missing - 1 >>> 31 & countries[row >>> 23];
}
function rank(amount2) {
  if (amount2 === 0) return 0;
  const zeros = Math.clz32(amount2);
  return 1 + (31 - zeros) * 4 + (amount2 << zeros >>> 29 & 3);
}

// src/registry/store/facts/fact.ts
function attributeSubject(name) {
  return `a${name}`;
}
function resourceSubject(name) {
  return `r${name}`;
}
function factOf(subject, value) {
  return `${subject}=${(typeof value)[0]}${String(value)}`;
}
function subjectOf(fact) {
  return fact.slice(0, fact.indexOf("="));
}
function numberIn(fact) {
  const at = fact.indexOf("=") + 1;
  return fact[at] === "n" ? Number(fact.slice(at + 1)) : Number.NaN;
}
function valueIn(fact) {
  const at = fact.indexOf("=") + 1;
  const text = fact.slice(at + 1);
  if (fact[at] === "n") return Number(text);
  return fact[at] === "b" ? text === "true" : text;
}
var NONE = [];
function factsOf(resources, attributes2) {
  const further = Object.keys(resources).filter((name) => !KNOWN_RESOURCES.has(name));
  if (further.length === 0 && attributes2 === null) return NONE;
  return [
    ...further.map((name) => factOf(resourceSubject(name), resources[name])),
    ...Object.entries(attributes2 ?? {}).map(([name, value]) => factOf(attributeSubject(name), value))
  ];
}

// src/registry/store/columns.ts
var AMOUNTS = namesOfKind("at-least");
var VALUES = namesOfKind("one-of");
var ESTIMATES = namesOfKind("at-most");
var FLAGS = namesOfKind("only");
var PRICES_AN_ESTIMATE = 3;
var CPU = AMOUNTS.indexOf("cpu");
var MEMORY = AMOUNTS.indexOf("memory");
var STORAGE = AMOUNTS.indexOf("storage");
var COUNTRY = VALUES.indexOf("country");
var USD = ESTIMATES.indexOf("max_usd_per_month");
var GLM = ESTIMATES.indexOf("max_glm_per_month");
var LIVE = FLAGS.indexOf("status");
var VERIFIED = FLAGS.indexOf("verified");
var IP_CONFIRMED = FLAGS.indexOf("ip_confirmed");
var NO_PRICES = Array(PRICES_AN_ESTIMATE).fill(Number.NaN);
var VALUES_AT = AMOUNTS.length;
var PRICES_AT = VALUES_AT + VALUES.length;
var FLAGS_AT = PRICES_AT + PRICES_AN_ESTIMATE * ESTIMATES.length;
var FACTS_AT = FLAGS_AT + FLAGS.length;
var ROW_NUMBERS = FACTS_AT + 1;
var VALUE_OF = {
  country: ({ country }) => country,
  platform: ({ platform }) => platform,
  payments_network: ({ paymentsNetwork }) => paymentsNetwork
};
var PRICE_MEMBERS2 = ESTIMATES.map((name) => priceMembers(CONDITIONS[name].currency));
function rowOf(record, live, numberOf2, put) {
  const row = [];
  for (const name of AMOUNTS) row.push(record.resources[name]);
  VALUES.forEach((name, place) => row.push(numberOf2(place, VALUE_OF[name](record))));
  for (const members of PRICE_MEMBERS2) {
    const prices = members.map((member) => record.pricing?.[member]);
    const known2 = prices.filter((price2) => typeof price2 === "number");
    row.push(...known2.length === PRICES_AN_ESTIMATE ? known2 : NO_PRICES);
  }
  row[FLAGS_AT + LIVE] = live ? 1 : 0;
  row[FLAGS_AT + VERIFIED] = record.proof === null ? 0 : 1;
  row[FLAGS_AT + IP_CONFIRMED] = record.ipConfirmed ? 1 : 0;
  row[FACTS_AT] = put(factsOf(record.resources, record.attributes));
  return row;
}
function factsInRow(row, from) {
  return row[from + FACTS_AT];
}
function isLiveRow(row, from) {
  return row[from + FLAGS_AT + LIVE] === 1;
}
var AttributeColumns = class {
  ids;
  amounts;
  /** The numbers of values: see `ValueNumbers`. */
  values;
  /** US dollars or GLM a month for a core, a GB of memory, a GB of disk; NaN where any of the three is missing. */
  prices;
  /** 1 where that is so. */
  flags;
  /** Where the facts of each row are: see `FactLists`. */
  facts;
  /** Country, cores, memory and disk in one word: see `outlineOf`. */
  outline;
  /** @param ids The provider id of each row, shared with whoever keeps the rows. */
  constructor(capacity, ids = []) {
    this.ids = ids;
    this.amounts = AMOUNTS.map(() => new Int32Array(capacity));
    this.values = VALUES.map(() => new Uint32Array(capacity));
    this.prices = ESTIMATES.flatMap(
      () => Array.from({ length: PRICES_AN_ESTIMATE }, () => new Float64Array(capacity))
    );
    this.flags = FLAGS.map(() => new Uint8Array(capacity));
    this.facts = new Uint32Array(capacity);
    this.outline = new Int32Array(capacity);
  }
  /**
   * @param row The numbers of `rowOf`.
   * @param from Where in them the row begins.
   */
  write(index, row, from = 0) {
    const { amounts, values: values2, prices, flags } = this;
    let at = from;
    for (const column of amounts) column[index] = row[at++];
    for (const column of values2) column[index] = row[at++];
    for (const column of prices) column[index] = row[at++];
    for (const column of flags) column[index] = row[at++];
    this.facts[index] = row[at];
    this.outline[index] = outlineOf(
      amounts[CPU][index],
      amounts[MEMORY][index],
      amounts[STORAGE][index],
      values2[COUNTRY][index]
    );
  }
  copyRow(index, from, fromIndex) {
    const { amounts, values: values2, prices, flags } = this;
    for (let at = 0; at < amounts.length; at += 1) amounts[at][index] = from.amounts[at][fromIndex];
    for (let at = 0; at < values2.length; at += 1) values2[at][index] = from.values[at][fromIndex];
    for (let at = 0; at < prices.length; at += 1) prices[at][index] = from.prices[at][fromIndex];
    for (let at = 0; at < flags.length; at += 1) flags[at][index] = from.flags[at][fromIndex];
    this.facts[index] = from.facts[fromIndex];
    this.outline[index] = from.outline[fromIndex];
  }
  /** Whether two rows are the same to every filter. */
  equal(index, other, otherIndex) {
    const { amounts, values: values2, prices, flags } = this;
    if (this.facts[index] !== other.facts[otherIndex]) return false;
    for (let at = 0; at < amounts.length; at += 1)
      if (amounts[at][index] !== other.amounts[at][otherIndex]) return false;
    for (let at = 0; at < values2.length; at += 1)
      if (values2[at][index] !== other.values[at][otherIndex]) return false;
    for (let at = 0; at < flags.length; at += 1)
      if (flags[at][index] !== other.flags[at][otherIndex]) return false;
    for (let at = 0; at < prices.length; at += 1)
      if (!Object.is(prices[at][index], other.prices[at][otherIndex])) return false;
    return true;
  }
  /** Makes room for `capacity` rows; the present ones stay. */
  grow(capacity) {
    for (const [place, column] of this.amounts.entries())
      this.amounts[place] = grown(column, new Int32Array(capacity));
    for (const [place, column] of this.values.entries())
      this.values[place] = grown(column, new Uint32Array(capacity));
    for (const [place, column] of this.prices.entries())
      this.prices[place] = grown(column, new Float64Array(capacity));
    for (const [place, column] of this.flags.entries())
      this.flags[place] = grown(column, new Uint8Array(capacity));
    this.facts = grown(this.facts, new Uint32Array(capacity));
    this.outline = grown(this.outline, new Int32Array(capacity));
  }
};

// src/lib/timing-wheel.ts
var NONE2 = -1;
var TimingWheel = class {
  #bucketMs;
  #heads;
  #next;
  #previous;
  #bucketOf;
  /** The last bucket that was looked at in full, counted from time 0. */
  #position = 0;
  /** The bucket up to which is being looked: what is filed meanwhile goes behind it. */
  #target = 0;
  constructor(capacity, bucketMs, buckets) {
    this.#bucketMs = bucketMs;
    this.#heads = new Int32Array(buckets).fill(NONE2);
    this.#next = new Int32Array(capacity).fill(NONE2);
    this.#previous = new Int32Array(capacity).fill(NONE2);
    this.#bucketOf = new Int32Array(capacity).fill(NONE2);
  }
  grow(capacity) {
    this.#next = grown(this.#next, new Int32Array(capacity).fill(NONE2));
    this.#previous = grown(this.#previous, new Int32Array(capacity).fill(NONE2));
    this.#bucketOf = grown(this.#bucketOf, new Int32Array(capacity).fill(NONE2));
  }
  /** Files a slot to be looked at no later than a bucket after `time` (service ms), moving it if it was filed. */
  schedule(slot, time) {
    this.cancel(slot);
    const due = Math.max(Math.ceil(time / this.#bucketMs), this.#target + 1);
    const bucket = Math.min(due, this.#position + this.#heads.length - 1) % this.#heads.length;
    const head = this.#heads[bucket];
    this.#next[slot] = head;
    this.#previous[slot] = NONE2;
    if (head !== NONE2) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
    this.#bucketOf[slot] = bucket;
  }
  /** Takes a slot out; nothing happens when it is not filed. */
  cancel(slot) {
    const bucket = this.#bucketOf[slot];
    if (bucket === NONE2) return;
    const next = this.#next[slot];
    const previous = this.#previous[slot];
    if (next !== NONE2) this.#previous[next] = previous;
    if (previous === NONE2) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    this.#bucketOf[slot] = NONE2;
  }
  /**
   * Calls `look` for each slot whose time has come, after taking it out: it expires the slot or schedules it
   * again. Stops after `budget` slots, so that a mass expiry does not hold up the event loop.
   * @returns Whether all that was due has been looked at.
   */
  advance(now, budget, look) {
    this.#target = Math.max(this.#target, Math.floor(now / this.#bucketMs));
    while (this.#position < this.#target) {
      const bucket = (this.#position + 1) % this.#heads.length;
      for (let slot = this.#heads[bucket]; slot !== NONE2; slot = this.#heads[bucket]) {
        if (budget === 0) return false;
        budget -= 1;
        this.cancel(slot);
        look(slot);
      }
      this.#position += 1;
    }
    return true;
  }
};

// src/lib/iso-time.ts
var DAY_MS = 864e5;
var ISO_BYTES = 24;
var DAYS_PER_ERA = 146097;
var EPOCH_DAY = 719468;
function writeIsoTime(target, offset, wallMs) {
  const whole = Math.floor(wallMs);
  const day = Math.floor(whole / DAY_MS);
  writeDate(target, offset, day + EPOCH_DAY);
  const ms = whole - day * DAY_MS;
  const seconds = Math.floor(ms / 1e3);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  target[offset + 10] = 84;
  writeTwo(target, offset + 11, hours);
  target[offset + 13] = 58;
  writeTwo(target, offset + 14, minutes - hours * 60);
  target[offset + 16] = 58;
  writeTwo(target, offset + 17, seconds - minutes * 60);
  target[offset + 19] = 46;
  const fraction = ms - seconds * 1e3;
  const hundreds = Math.floor(fraction / 100);
  target[offset + 20] = 48 + hundreds;
  writeTwo(target, offset + 21, fraction - hundreds * 100);
  target[offset + 23] = 90;
}
function writeDate(target, offset, day) {
  const era = Math.floor(day / DAYS_PER_ERA);
  const dayOfEra = day - era * DAYS_PER_ERA;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36524) + Math.floor(dayOfEra / 146096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthOfYear = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthOfYear < 10 ? monthOfYear + 3 : monthOfYear - 9;
  const year = 400 * era + yearOfEra + (month <= 2 ? 1 : 0);
  const century = Math.floor(year / 100);
  writeTwo(target, offset, century);
  writeTwo(target, offset + 2, year - century * 100);
  target[offset + 4] = 45;
  writeTwo(target, offset + 5, month);
  target[offset + 7] = 45;
  writeTwo(target, offset + 8, dayOfYear - Math.floor((153 * monthOfYear + 2) / 5) + 1);
}
function writeTwo(target, offset, value) {
  const tens = Math.floor(value / 10);
  target[offset] = 48 + tens;
  target[offset + 1] = 48 + (value - tens * 10);
}
var scratch = Buffer.alloc(ISO_BYTES);
function isoTime(wallMs) {
  writeIsoTime(scratch, 0, wallMs);
  return scratch.toString("latin1");
}

// src/registry/store/advertisement-json.ts
function renderHead(record, texts = jsonTexts(record)) {
  const name = quoted(record.name);
  return `{"provider_id":${quoted(record.providerId)},"ip_address":${quoted(record.ipAddress)},"country":${quoted(record.country)},"resources":${texts.resources},"platform":${quoted(record.platform)},"pricing":${texts.pricing},"name":${name},"payments_network":${quoted(record.paymentsNetwork)},"attributes":${texts.attributes},"endpoint":${JSON.stringify(record.endpoint)}${PROVIDER_NAME}${name},"created_at":"${isoTime(record.createdAt)}"`;
}
var PROVIDER_NAME = ',"provider_name":';
var ID_FRAME_BYTES = '{"provider_id":"",'.length;
var CREATED_AT_BYTES = ',"created_at":""'.length + ISO_BYTES;
function createdAtIn(head) {
  return Date.parse(head.toString("latin1", head.length - ISO_BYTES - 1, head.length - 1));
}
function ipAddressIn(head, providerId2) {
  const from = ID_FRAME_BYTES + Buffer.byteLength(providerId2) + '"ip_address":"'.length;
  return head.toString("latin1", from, head.indexOf('"', from));
}
var ABSENT = [',"endpoint":null', ',"attributes":null'].map((text) => Buffer.from(text));
function chosenPart(providerId2, head) {
  let to = head.lastIndexOf(PROVIDER_NAME, head.length - CREATED_AT_BYTES);
  for (const text of ABSENT) if (head.subarray(to - text.length, to).equals(text)) to -= text.length;
  return { from: ID_FRAME_BYTES + Buffer.byteLength(providerId2), to };
}
function jsonTexts({ resources, pricing, attributes: attributes2 }) {
  return {
    resources: JSON.stringify(resources),
    pricing: JSON.stringify(pricing),
    attributes: JSON.stringify(attributes2)
  };
}
var PLAIN = /^[ !#-[\]-~]*$/;
function quoted(text) {
  return text !== null && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
function tailTemplate(status, verified, ipConfirmed) {
  const blank = " ".repeat(ISO_BYTES);
  const text = `,"updated_at":"${blank}","status":"${status}","expires_at":"${blank}","verified":${String(verified)},"ip_confirmed":${String(ipConfirmed)}}`;
  return { bytes: Buffer.from(text), updatedAt: text.indexOf(blank), expiresAt: text.lastIndexOf(blank) };
}
var TAILS = Array.from(
  { length: 8 },
  (_, bits) => tailTemplate((bits & 4) === 0 ? "suspect" : "live", (bits & 2) !== 0, (bits & 1) !== 0)
);
function tailFor({ live, verified, ipConfirmed }) {
  return TAILS[live << 2 | verified << 1 | ipConfirmed];
}
var MAX_TAIL_BYTES = Math.max(...TAILS.map((tail) => tail.bytes.length));
function tailBytes(flags) {
  return tailFor(flags).bytes.length;
}
function writeTail(target, offset, row) {
  const tail = tailFor(row);
  target.set(tail.bytes, offset);
  writeIsoTime(target, offset + tail.updatedAt, row.updatedAt);
  writeIsoTime(target, offset + tail.expiresAt, row.expiresAt);
}

// src/lib/radix-sort.ts
var FEW = 16;
var LOOK_AHEAD = 7;
var EXACT_BITS = 52;
function sortByText(texts, order, depth = 0) {
  if (order.length <= FEW) {
    sortFew(texts, order);
    return;
  }
  const { low, high } = codeRange(texts, order, depth);
  if (high < low) return;
  const base = high - low + 2;
  const placeBits = Math.ceil(Math.log2(order.length));
  const places = 2 ** placeBits;
  const digits = Math.min(LOOK_AHEAD, Math.floor((EXACT_BITS - placeBits) / Math.log2(base)));
  const keys = new Float64Array(order.length);
  for (let place = 0; place < order.length; place += 1) {
    const text = texts[order[place]];
    let number5 = 0;
    for (let at = depth; at < depth + digits; at += 1) {
      number5 = number5 * base + (at < text.length ? text.charCodeAt(at) - low + 1 : 0);
    }
    keys[place] = number5 * places + place;
  }
  keys.sort();
  const before = order.slice();
  for (let place = 0; place < order.length; place += 1) order[place] = before[keys[place] % places];
  for (let from = 0, to = 1; from < order.length; from = to, to += 1) {
    const number5 = Math.floor(keys[from] / places);
    while (to < order.length && Math.floor(keys[to] / places) === number5) to += 1;
    if (to - from > 1) sortByText(texts, order.subarray(from, to), depth + digits);
  }
}
function codeRange(texts, order, depth) {
  let low = 65535;
  let high = -1;
  for (const number5 of order) {
    const text = texts[number5];
    const end = Math.min(text.length, depth + LOOK_AHEAD);
    for (let at = depth; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code < low) low = code;
      if (code > high) high = code;
    }
  }
  return { low, high };
}
function sortFew(texts, order) {
  for (let sorted = 1; sorted < order.length; sorted += 1) {
    const number5 = order[sorted];
    const text = texts[number5];
    let at = sorted;
    for (; at > 0 && texts[order[at - 1]] > text; at -= 1) order[at] = order[at - 1];
    order[at] = number5;
  }
}

// src/registry/store/id-index.ts
var MAX_CHUNK = 512;
var IdIndex = class {
  #ids;
  #chunks = [];
  #size = 0;
  /** @param ids The id of each slot, shared with the store. */
  constructor(ids) {
    this.#ids = ids;
  }
  get size() {
    return this.#size;
  }
  /** Replaces the content by these slots, in any order. */
  load(slots2) {
    const order = Uint32Array.from(slots2);
    sortByText(this.#ids, order);
    this.loadOrdered(order);
  }
  /** The same of slots that are in order already. */
  loadOrdered(order) {
    this.#chunks = [];
    this.#size = order.length;
    const size = MAX_CHUNK / 2;
    for (let from = 0; from < order.length; from += size) {
      this.#chunks.push(Array.from(order.slice(from, from + size)));
    }
  }
  insert(slot) {
    const id = this.#ids[slot];
    this.#size += 1;
    if (this.#chunks.length === 0) this.#chunks.push([]);
    const number5 = this.#chunkFor(id);
    const chunk = this.#chunks[number5];
    chunk.splice(this.#lowerBound(chunk, id), 0, slot);
    if (chunk.length > MAX_CHUNK) this.#chunks.splice(number5 + 1, 0, chunk.splice(MAX_CHUNK / 2));
  }
  /** Takes a slot out; its id must still be known. */
  remove(slot) {
    const id = this.#ids[slot];
    const number5 = this.#chunkFor(id);
    const chunk = this.#chunks[number5];
    chunk.splice(this.#lowerBound(chunk, id), 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(number5, 1);
  }
  scan(after, visit) {
    if (this.#chunks.length === 0) return;
    let number5 = after === null ? 0 : this.#chunkFor(after);
    let from = 0;
    if (after !== null) {
      const chunk = this.#chunks[number5];
      from = this.#lowerBound(chunk, after);
      if (from < chunk.length && this.#ids[chunk[from]] === after) from += 1;
    }
    for (; number5 < this.#chunks.length; number5 += 1) {
      if (!visit(this.#chunks[number5], from)) return;
      from = 0;
    }
  }
  /** The last chunk that begins at or before an id. */
  #chunkFor(id) {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = low + high + 1 >> 1;
      if (this.#ids[this.#chunks[middle][0]] <= id) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  #lowerBound(chunk, id) {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.#ids[chunk[middle]] < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
};

// src/lib/interner.ts
var Interner = class {
  #numbers = /* @__PURE__ */ new Map();
  #texts = [""];
  #holders = [0];
  #free = [];
  #version = 0;
  /** Another one whenever a text has got a number, or lost it. */
  get version() {
    return this.#version;
  }
  /** The number of a text, held once more. */
  acquire(text) {
    if (text === null) return 0;
    const known2 = this.#numbers.get(text);
    if (known2 !== void 0) {
      this.#holders[known2] += 1;
      return known2;
    }
    const number5 = this.#free.pop() ?? this.#texts.length;
    this.#version += 1;
    this.#numbers.set(text, number5);
    this.#texts[number5] = text;
    this.#holders[number5] = 1;
    return number5;
  }
  /** Holds a number once more. */
  retain(number5) {
    if (number5 !== 0) this.#holders[number5] += 1;
  }
  /**
   * Lets go of a number.
   * @returns Whether nobody holds it any more.
   */
  release(number5) {
    if (number5 === 0) return false;
    this.#holders[number5] -= 1;
    if (this.#holders[number5] > 0) return false;
    this.#version += 1;
    this.#numbers.delete(this.#texts[number5]);
    this.#texts[number5] = "";
    this.#free.push(number5);
    return true;
  }
  /** The number of a text that somebody holds, else undefined: then nobody can have it. */
  find(text) {
    return this.#numbers.get(text);
  }
  /** The text of a number that somebody holds; null for 0. */
  text(number5) {
    return number5 === 0 ? null : this.#texts[number5];
  }
  /** How often a text is held. */
  holders(text) {
    const number5 = this.#numbers.get(text);
    return number5 === void 0 ? 0 : this.#holders[number5];
  }
  /** How many texts are held. */
  get size() {
    return this.#numbers.size;
  }
};

// src/registry/store/facts/fact-numbers.ts
var FactNumbers = class {
  #facts = new Interner();
  #subjects = new Interner();
  /** By the number of a fact. */
  #subjectOf = [0];
  #values = [Number.NaN];
  /** How many different facts are held. */
  get size() {
    return this.#facts.size;
  }
  /** Another one whenever a fact has got a number, or lost it. */
  get version() {
    return this.#facts.version + this.#subjects.version;
  }
  /** The number of a fact, held once more. */
  acquire(fact) {
    const isKnown = this.#facts.find(fact) !== void 0;
    const number5 = this.#facts.acquire(fact);
    if (isKnown) return number5;
    this.#subjectOf[number5] = this.#subjects.acquire(subjectOf(fact));
    this.#values[number5] = numberIn(fact);
    return number5;
  }
  /** Holds a fact once more. */
  retain(number5) {
    this.#facts.retain(number5);
  }
  /** Lets go of a fact. */
  release(number5) {
    if (this.#facts.release(number5)) this.#subjects.release(this.#subjectOf[number5]);
  }
  /** The number of a fact; undefined when nobody has it. */
  find(fact) {
    return this.#facts.find(fact);
  }
  /** The fact of a number that somebody holds. */
  fact(number5) {
    return this.#facts.text(number5);
  }
  /** The number of what facts are about, held once more. */
  acquireSubject(subject) {
    return this.#subjects.acquire(subject);
  }
  releaseSubject(subject) {
    this.#subjects.release(subject);
  }
  /** The number of what facts are about; undefined when there is no such fact. */
  findSubject(subject) {
    return this.#subjects.find(subject);
  }
  /** The number of what a fact is about. */
  subject(number5) {
    return this.#subjectOf[number5];
  }
  /** The number that a fact says; NaN where it says none. */
  value(number5) {
    return this.#values[number5];
  }
};

// src/registry/store/facts/fact-lists.ts
var NO_FACTS = 0;
var UNNUMBERED = 0;
var MAX_FACTS = 1 << 20;
var HEAD = 2;
var FactLists = class {
  numbers = new FactNumbers();
  /** As lists lie in it, `count` at `address + 1`. Another array once it has grown. */
  words = new Uint32Array(1024);
  #maxFacts;
  #end = HEAD;
  /** Free addresses, by the length of the list. */
  #free = [];
  /** The facts of lists that have no numbers. */
  #unnumbered = /* @__PURE__ */ new Map();
  constructor(maxFacts = MAX_FACTS) {
    this.#maxFacts = maxFacts;
  }
  /** How many rows keep their facts as texts. */
  get unnumbered() {
    return this.#unnumbered.size;
  }
  /**
   * Keeps the facts of a row, held once.
   * @param before A list that may be the same; then it is held once more.
   * @returns The address.
   */
  put(facts, before = NO_FACTS) {
    if (facts.length === 0) return NO_FACTS;
    const numbers = this.#numbersOf(facts);
    if (numbers === null) {
      const address = this.#write([UNNUMBERED]);
      this.#unnumbered.set(address, facts);
      return address;
    }
    if (this.#isList(before, numbers)) {
      for (const number5 of numbers) this.numbers.release(number5);
      this.retain(before);
      return before;
    }
    return this.#write(numbers);
  }
  /** Holds a list once more. */
  retain(address) {
    if (address !== NO_FACTS) this.words[address] += 1;
  }
  /** Lets go of a list. */
  release(address) {
    if (address === NO_FACTS) return;
    const { words } = this;
    words[address] -= 1;
    if (words[address] > 0) return;
    const count = words[address + 1];
    if (!this.#unnumbered.delete(address))
      for (let at = 0; at < count; at += 1) this.numbers.release(words[address + HEAD + at]);
    (this.#free[count] ??= []).push(address);
  }
  /** The numbers of a list. */
  of(address) {
    if (address === NO_FACTS) return EMPTY;
    return this.words.subarray(address + HEAD, address + HEAD + this.words[address + 1]);
  }
  /** The facts of a list without numbers; undefined for any other. */
  textsOf(address) {
    return this.#unnumbered.get(address);
  }
  /** The number of what a list says about the subject of a number; 0 for nothing, or where its facts have no numbers. */
  about(address, subject) {
    if (address === NO_FACTS) return UNNUMBERED;
    const { words, numbers } = this;
    const from = address + HEAD;
    const to = from + words[address + 1];
    for (let at = from; at < to; at += 1) {
      const fact = words[at];
      if (numbers.subject(fact) === subject) return fact;
    }
    return UNNUMBERED;
  }
  /** What a list says about a subject; undefined for nothing. */
  find(address, subject) {
    const texts = this.textsOf(address) ?? Array.from(this.of(address), (number5) => this.numbers.fact(number5));
    return texts.find((fact) => subjectOf(fact) === subject);
  }
  /** Sorted; null when there is no room for them. */
  #numbersOf(facts) {
    const { numbers } = this;
    const found = [];
    for (const fact of facts) {
      if (numbers.size >= this.#maxFacts && numbers.find(fact) === void 0) {
        for (const number5 of found) numbers.release(number5);
        return null;
      }
      found.push(numbers.acquire(fact));
    }
    return found.sort((a, b) => a - b);
  }
  #isList(address, numbers) {
    if (address === NO_FACTS || this.words[address + 1] !== numbers.length) return false;
    return numbers.every((number5, at) => this.words[address + HEAD + at] === number5);
  }
  #write(numbers) {
    let address = this.#free[numbers.length]?.pop();
    if (address === void 0) {
      address = this.#end;
      this.#end += HEAD + numbers.length;
      if (this.#end > this.words.length)
        this.words = grown(this.words, new Uint32Array(Math.ceil(1.5 * this.#end)));
    }
    this.words[address] = 1;
    this.words[address + 1] = numbers.length;
    this.words.set(numbers, address + HEAD);
    return address;
  }
};
var EMPTY = new Uint32Array(0);

// src/registry/store/facts/fact-index.ts
var MAX_GATHERED = 2048;
var MAX_NUMBERS = 4096;
var WORTHWHILE = 4;
var NONE3 = /* @__PURE__ */ new Set();
var FactIndex = class {
  #ids;
  #lists;
  /** By the number of a fact; one slot alone, or an index of several. */
  #slots = /* @__PURE__ */ new Map();
  /** By the number of a subject, the facts about it that are numbers. */
  #numeric = /* @__PURE__ */ new Map();
  /** @param ids The id of each slot, shared with the store. */
  constructor(ids, lists) {
    this.#ids = ids;
    this.#lists = lists;
  }
  /** Takes note that a slot has other facts than before, by the addresses of both lists. */
  move(slot, before, after) {
    if (before === after) return;
    const old = this.#lists.of(before);
    const present = this.#lists.of(after);
    for (const fact of old) if (!present.includes(fact)) this.#remove(fact, slot);
    for (const fact of present) if (!old.includes(fact)) this.#insert(fact, slot);
  }
  /**
   * Files many rows at once, in place of all that was there.
   * @param slots In the order of their ids.
   * @param addresses The list of each slot.
   */
  load(slots2, addresses) {
    const bySlot = /* @__PURE__ */ new Map();
    slots2.scan(null, (some, from) => {
      for (let at = from; at < some.length; at += 1) {
        const slot = some[at];
        for (const fact of this.#lists.of(addresses[slot])) {
          const known2 = bySlot.get(fact);
          if (known2 === void 0) bySlot.set(fact, [slot]);
          else known2.push(slot);
        }
      }
      return true;
    });
    this.#slots.clear();
    this.#numeric.clear();
    for (const [fact, inOrder] of bySlot) {
      if (inOrder.length === 1) this.#slots.set(fact, inOrder[0]);
      else {
        const index = new IdIndex(this.#ids);
        index.loadOrdered(inOrder);
        this.#slots.set(fact, index);
      }
      this.#fileNumber(fact);
    }
  }
  /**
   * The rows among which all matches are, in the order of their ids; null where looking at all rows takes no longer.
   * @param rows How many rows there are.
   */
  narrow({ tests }, rows) {
    let best = null;
    let least = rows / WORTHWHILE;
    for (const test of tests) {
      const facts = "accepted" in test ? test.accepted : this.#inRange(test.subject, test.asked.least, test.asked.most);
      if (facts === null) continue;
      const size = facts.reduce((sum, fact) => sum + this.#sizeOf(fact), 0);
      if (size >= least) continue;
      best = facts;
      least = size;
    }
    return best === null ? null : this.#union([...best, UNNUMBERED]);
  }
  #union(facts) {
    const found = facts.filter((fact) => this.#slots.has(fact));
    const [first] = found;
    if (found.length === 1) {
      const slots2 = this.#slots.get(first);
      return typeof slots2 === "number" ? new FewSlots(this.#ids, [slots2]) : slots2;
    }
    if (found.reduce((sum, fact) => sum + this.#sizeOf(fact), 0) > MAX_GATHERED) return null;
    const all = /* @__PURE__ */ new Set();
    for (const fact of found) {
      const slots2 = this.#slots.get(fact);
      if (typeof slots2 === "number") all.add(slots2);
      else
        slots2.scan(null, (some) => {
          for (const slot of some) all.add(slot);
          return true;
        });
    }
    const order = Uint32Array.from(all);
    sortByText(this.#ids, order);
    return new FewSlots(this.#ids, Array.from(order));
  }
  /** The facts about a subject that are numbers in a range; null where there are too many to look through. */
  #inRange(subject, least, most) {
    const facts = this.#numeric.get(subject) ?? NONE3;
    if (facts.size > MAX_NUMBERS) return null;
    const { numbers } = this.#lists;
    return [...facts].filter((fact) => numbers.value(fact) >= least && numbers.value(fact) <= most);
  }
  #sizeOf(fact) {
    const slots2 = this.#slots.get(fact);
    if (slots2 === void 0) return 0;
    return typeof slots2 === "number" ? 1 : slots2.size;
  }
  #insert(fact, slot) {
    const present = this.#slots.get(fact);
    if (present === void 0) {
      this.#slots.set(fact, slot);
      this.#fileNumber(fact);
      return;
    }
    if (typeof present !== "number") {
      present.insert(slot);
      return;
    }
    const index = new IdIndex(this.#ids);
    index.load([present, slot]);
    this.#slots.set(fact, index);
  }
  #remove(fact, slot) {
    const present = this.#slots.get(fact);
    if (typeof present !== "number") {
      present.remove(slot);
      if (present.size > 0) return;
    }
    this.#slots.delete(fact);
    const subject = this.#lists.numbers.subject(fact);
    const facts = this.#numeric.get(subject);
    if (facts?.delete(fact) === true && facts.size === 0) this.#numeric.delete(subject);
  }
  #fileNumber(fact) {
    const { numbers } = this.#lists;
    if (Number.isNaN(numbers.value(fact))) return;
    const subject = numbers.subject(fact);
    const facts = this.#numeric.get(subject);
    if (facts === void 0) this.#numeric.set(subject, /* @__PURE__ */ new Set([fact]));
    else facts.add(fact);
  }
};
var FewSlots = class {
  #ids;
  #slots;
  constructor(ids, slots2) {
    this.#ids = ids;
    this.#slots = slots2;
  }
  get size() {
    return this.#slots.length;
  }
  scan(after, visit) {
    const from = after === null ? 0 : this.#slots.findIndex((slot) => this.#ids[slot] > after);
    if (from >= 0 && from < this.#slots.length) visit(this.#slots, from);
  }
};

// src/registry/store/packed-proof.ts
var Layout = class {
  timeAt;
  beginAt;
  endAt;
  hasKeyAt;
  keyAt;
  /** The payload is here, or already at `keyAt` where no key is kept. */
  latestPayloadAt;
  constructor({ signatureBytes, keyBytes }) {
    this.timeAt = signatureBytes;
    this.beginAt = this.timeAt + 8;
    this.endAt = this.beginAt + 2;
    this.hasKeyAt = this.endAt + 2;
    this.keyAt = this.hasKeyAt + 1;
    this.latestPayloadAt = this.keyAt + keyBytes;
  }
};
var LAYOUTS = new Map(SCHEMES.map((scheme) => [scheme, new Layout(scheme)]));
var MOST_BEFORE_PAYLOAD = Math.max(...[...LAYOUTS.values()].map(({ latestPayloadAt }) => latestPayloadAt));
function layoutFor(providerId2) {
  return LAYOUTS.get(schemeOf(providerId2));
}
var MAX_SHARED = 65535;
var OPENING_BRACE = 123;
var CLOSING_BRACE = 125;
function roomForProof({ payload }) {
  return MOST_BEFORE_PAYLOAD + (typeof payload === "string" ? 3 * payload.length : payload.length);
}
function packProof(proof, providerId2, chosen, target, at) {
  const layout = layoutFor(providerId2);
  const hasKey = proof.publicKey !== providerId2;
  target.write(proof.signature, at, layout.timeAt, "hex");
  target.writeDoubleLE(proof.t, at + layout.timeAt);
  target[at + layout.hasKeyAt] = hasKey ? 1 : 0;
  if (hasKey) target.write(proof.publicKey, at + layout.keyAt, layout.latestPayloadAt - layout.keyAt, "hex");
  const payload = { from: at + layout.latestPayloadAt, to: at + layout.latestPayloadAt };
  if (typeof proof.payload === "string") payload.to += target.write(proof.payload, payload.from, "utf8");
  else {
    target.set(proof.payload, payload.from);
    payload.to += proof.payload.length;
  }
  const begin = sharedBegin(target, payload, chosen);
  const end = sharedEnd(target, { from: payload.from + begin, to: payload.to }, chosen);
  target.writeUInt16LE(begin, at + layout.beginAt);
  target.writeUInt16LE(end, at + layout.endAt);
  const own = at + (hasKey ? layout.latestPayloadAt : layout.keyAt);
  target.copyWithin(own, payload.from + begin, payload.to - end);
  return own + payload.to - end - payload.from - begin;
}
function unpackProof(packed, providerId2, chosen) {
  const layout = layoutFor(providerId2);
  const begin = packed.readUInt16LE(layout.beginAt);
  const end = packed.readUInt16LE(layout.endAt);
  const own = packed.subarray(packed[layout.hasKeyAt] === 1 ? layout.latestPayloadAt : layout.keyAt);
  const payload = new Uint8Array(begin + own.length + end);
  if (begin > 0) {
    payload[0] = OPENING_BRACE;
    payload.set(chosen.subarray(0, begin - 1), 1);
  }
  payload.set(own, begin);
  if (end > 0) {
    payload.set(chosen.subarray(chosen.length - (end - 1)), begin + own.length);
    payload[payload.length - 1] = CLOSING_BRACE;
  }
  return {
    ...unpackSigner(packed, providerId2),
    payload,
    signature: packed.toString("hex", 0, layout.timeAt)
  };
}
function unpackSigner(packed, providerId2) {
  const { timeAt, hasKeyAt, keyAt, latestPayloadAt } = layoutFor(providerId2);
  return {
    publicKey: packed[hasKeyAt] === 1 ? packed.toString("hex", keyAt, latestPayloadAt) : providerId2,
    t: packed.readDoubleLE(timeAt)
  };
}
function sharedBegin(bytes, payload, chosen) {
  if (payload.from === payload.to || bytes[payload.from] !== OPENING_BRACE) return 0;
  const limit = Math.min(payload.to - payload.from, chosen.to - chosen.from + 1, MAX_SHARED);
  const before = chosen.from - 1;
  let shared = 1;
  while (shared < limit && bytes[payload.from + shared] === bytes[before + shared]) shared += 1;
  return shared;
}
function sharedEnd(bytes, payload, chosen) {
  const last = payload.to - 1;
  if (payload.from === payload.to || bytes[last] !== CLOSING_BRACE) return 0;
  const limit = Math.min(payload.to - payload.from, chosen.to - chosen.from + 1, MAX_SHARED);
  let shared = 1;
  while (shared < limit && bytes[last - shared] === bytes[chosen.to - shared]) shared += 1;
  return shared;
}

// src/registry/store/packed-row.ts
var scratch2 = Buffer.allocUnsafeSlow(1 << 16);
function packRow(record, head) {
  const { proof, providerId: providerId2 } = record;
  const room = 3 * head.length + MAX_TAIL_BYTES + (proof === null ? 0 : roomForProof(proof));
  if (room > scratch2.length) scratch2 = Buffer.allocUnsafeSlow(room);
  const headBytes = scratch2.write(head, "utf8");
  const proofAt = headBytes + MAX_TAIL_BYTES;
  const end = proof === null ? proofAt : packProof(
    proof,
    providerId2,
    chosenPart(providerId2, scratch2.subarray(0, headBytes)),
    scratch2,
    proofAt
  );
  return { bytes: scratch2.subarray(0, end), headBytes, proofBytes: end - proofAt };
}
function rowBytes(headBytes, proofBytes) {
  return headBytes + MAX_TAIL_BYTES + proofBytes;
}
function proofIn(bytes, headBytes, providerId2) {
  const { from, to } = chosenPart(providerId2, bytes.subarray(0, headBytes));
  return unpackProof(bytes.subarray(headBytes + MAX_TAIL_BYTES), providerId2, bytes.subarray(from, to));
}
function signerIn(bytes, headBytes, providerId2) {
  return unpackSigner(bytes.subarray(headBytes + MAX_TAIL_BYTES), providerId2);
}

// src/protocol/filters/filter.ts
import * as z6 from "zod";
var shape = Object.fromEntries(
  CONDITION_NAMES.map((name) => [name, CONDITIONS[name].schema])
);
var filterSchema = z6.strictObject(shape, {
  error: (issue) => issue.code === "unrecognized_keys" ? `unknown member ${issue.keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 64))).join(", ")}` : "a filter must be an object"
}).refine(
  ({ min = {}, attributes: attributes2 = {} }) => Object.keys(min).length + Object.keys(attributes2).length <= LIMITS.maxFilterFacts,
  `asks for more than ${String(LIMITS.maxFilterFacts)} attributes and further resources together`
);
function askedAmounts(filter) {
  return { cpu: filter.cpu ?? 1, memory: filter.memory ?? 1, storage: filter.storage ?? 1 };
}

// src/registry/store/facts/fact-tests.ts
function askedFacts({ min = {}, attributes: attributes2 = {} }) {
  const asked2 = [];
  for (const [name, least] of Object.entries(min)) {
    if (least > 0) asked2.push({ kind: "range", subject: resourceSubject(name), least, most: Infinity });
  }
  for (const [name, wanted] of Object.entries(attributes2)) {
    const subject = attributeSubject(name);
    asked2.push(
      Array.isArray(wanted) ? { kind: "one-of", facts: wanted.map((value) => factOf(subject, value)) } : { kind: "range", subject, least: wanted.min ?? -Infinity, most: wanted.max ?? Infinity }
    );
  }
  return asked2;
}
var FactTests = class {
  tests;
  #lists;
  constructor(filter, lists) {
    const { numbers } = lists;
    this.#lists = lists;
    this.tests = askedFacts(filter).map(
      (asked2) => asked2.kind === "range" ? { asked: asked2, subject: numbers.findSubject(asked2.subject) ?? -1 } : { asked: asked2, accepted: asked2.facts.flatMap((fact) => numbers.find(fact) ?? []) }
    );
  }
  /** Whether a row with the facts at this address meets all that is asked of them. */
  matches(address) {
    if (address === NO_FACTS) return this.tests.length === 0;
    const texts = this.#lists.unnumbered === 0 ? void 0 : this.#lists.textsOf(address);
    if (texts !== void 0) return this.tests.every(({ asked: asked2 }) => texts.some((fact) => isMet(asked2, fact)));
    const { words, numbers } = this.#lists;
    for (const test of this.tests) if (!isMetBy(test, words, address, numbers)) return false;
    return true;
  }
};
function isMetBy(test, words, address, numbers) {
  const from = address + 2;
  const to = from + words[address + 1];
  if ("accepted" in test) {
    for (let at = from; at < to; at += 1) if (test.accepted.includes(words[at])) return true;
    return false;
  }
  const { subject, asked: asked2 } = test;
  for (let at = from; at < to; at += 1) {
    const fact = words[at];
    if (numbers.subject(fact) !== subject) continue;
    const value = numbers.value(fact);
    if (value >= asked2.least && value <= asked2.most) return true;
  }
  return false;
}
function isMet(asked2, fact) {
  if (asked2.kind === "one-of") return asked2.facts.includes(fact);
  if (subjectOf(fact) !== asked2.subject) return false;
  const value = numberIn(fact);
  return value >= asked2.least && value <= asked2.most;
}

// src/lib/heap.ts
var Heap = class {
  #isBefore;
  #items = [];
  constructor(isBefore) {
    this.#isBefore = isBefore;
  }
  get size() {
    return this.#items.length;
  }
  /** The first item; undefined when there is none. */
  get top() {
    return this.#items[0];
  }
  /** All items, in no particular order. */
  get items() {
    return this.#items;
  }
  push(item) {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = at - 1 >> 1;
      if (!this.#isBefore(item, items[parent])) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }
  /** Takes the first item out. */
  pop() {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) this.#sink(last, 0);
    return first;
  }
  /** Puts an item in the place of the first. */
  replaceTop(item) {
    this.#sink(item, 0);
  }
  /** Replaces the content by these items, of which it becomes the owner. */
  load(items) {
    this.#items = items;
    for (let at = (items.length >> 1) - 1; at >= 0; at -= 1) this.#sink(items[at], at);
  }
  /** Takes all items out, in no particular order. */
  takeAll() {
    const items = this.#items;
    this.#items = [];
    return items;
  }
  #sink(item, from) {
    const items = this.#items;
    let at = from;
    for (; ; ) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#isBefore(items[child + 1], items[child])) child += 1;
      if (!this.#isBefore(items[child], item)) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = item;
  }
};

// src/registry/store/price-index.ts
var MAX_CHUNK2 = 256;
var Chunk = class _Chunk {
  /** Of the amounts that are being looked for no row costs less, and none costs more. */
  least = 0;
  most = 0;
  slots;
  /** Core, memory and disk of each row, one behind the other. */
  #prices = new Float64Array(3 * (MAX_CHUNK2 + 1));
  /** The lowest price of a core, of memory and of disk, then the highest of each. */
  #bounds = new Float64Array(6);
  constructor(slots2, prices) {
    this.slots = slots2;
    slots2.forEach((slot, at) => {
      this.#write(at, slot, prices);
    });
    this.#measure();
  }
  insert(at, slot, prices) {
    this.#prices.copyWithin(3 * (at + 1), 3 * at, 3 * this.slots.length);
    this.slots.splice(at, 0, slot);
    this.#write(at, slot, prices);
    this.#include(3 * at, 3 * (at + 1));
  }
  remove(at) {
    const wasEdge = this.#isEdge(at);
    this.#prices.copyWithin(3 * at, 3 * (at + 1), 3 * this.slots.length);
    this.slots.splice(at, 1);
    if (wasEdge) this.#measure();
  }
  /** Cuts off the upper half. */
  split(prices) {
    const upper = new _Chunk(this.slots.splice(this.slots.length >> 1), prices);
    this.#measure();
    return upper;
  }
  /** Estimated like a row, so that rounding cannot break the bounds. */
  weigh(asked2) {
    const bounds = this.#bounds;
    this.least = finite(monthlyCost(bounds[0], bounds[1], bounds[2], asked2));
    this.most = finite(monthlyCost(bounds[3], bounds[4], bounds[5], asked2));
  }
  /** Writes what each row costs to `costs`. */
  estimate(asked2, costs) {
    const prices = this.#prices;
    for (let at = 0, from = 0; at < this.slots.length; at += 1, from += 3) {
      costs[at] = finite(monthlyCost(prices[from], prices[from + 1], prices[from + 2], asked2));
    }
  }
  #write(at, slot, prices) {
    this.#prices[3 * at] = prices.core[slot];
    this.#prices[3 * at + 1] = prices.memory[slot];
    this.#prices[3 * at + 2] = prices.storage[slot];
  }
  #measure() {
    this.#bounds.fill(Number.POSITIVE_INFINITY, 0, 3).fill(0, 3);
    this.#include(0, 3 * this.slots.length);
  }
  #include(from, to) {
    const bounds = this.#bounds;
    for (let at = from; at < to; at += 1) {
      const price2 = this.#prices[at];
      const which = at % 3;
      if (price2 < bounds[which]) bounds[which] = price2;
      if (price2 > bounds[which + 3]) bounds[which + 3] = price2;
    }
  }
  /** Whether the bounds may be closer without this row. */
  #isEdge(at) {
    const bounds = this.#bounds;
    for (let which = 0; which < 3; which += 1) {
      const price2 = this.#prices[3 * at + which];
      if (price2 === bounds[which] || price2 === bounds[which + 3]) return true;
    }
    return false;
  }
};
var PriceIndex = class {
  #columns;
  /** The column of its first price. */
  #first;
  #keys;
  #chunks = [];
  #queue = new Heap((a, b) => a.least < b.least);
  #costs = new Float64Array(MAX_CHUNK2);
  /**
   * @param columns The prices of each slot, shared with the store.
   * @param currency The place of the estimate in `ESTIMATES`.
   */
  constructor(columns, capacity, currency) {
    this.#columns = columns;
    this.#first = currency * PRICES_AN_ESTIMATE;
    this.#keys = new Uint32Array(capacity);
  }
  grow(capacity) {
    this.#keys = grown(this.#keys, new Uint32Array(capacity));
  }
  /** Replaces the content by the priced ones of these slots. */
  load(slots2) {
    const order = new Float64Array(slots2.length);
    let count = 0;
    for (const slot of slots2) {
      if (!this.isPriced(slot)) continue;
      this.#keys[slot] = this.#curveKey(slot);
      order[count] = this.#keys[slot] * 2 ** 23 + slot;
      count += 1;
    }
    const sorted = order.subarray(0, count).sort();
    this.#chunks = [];
    const size = 3 * MAX_CHUNK2 / 4;
    for (let from = 0; from < count; from += size) {
      const part = sorted.subarray(from, from + size);
      this.#chunks.push(
        new Chunk(
          Array.from(part, (rank2) => rank2 % 2 ** 23),
          this.#prices()
        )
      );
    }
  }
  /** Files a row by its present prices; without effect when it has none. */
  insert(slot) {
    if (!this.isPriced(slot)) return;
    const key = this.#curveKey(slot);
    this.#keys[slot] = key;
    const number5 = this.#chunkFor(key, slot);
    const chunk = this.#chunks[number5];
    if (chunk === void 0) {
      this.#chunks.push(new Chunk([slot], this.#prices()));
      return;
    }
    chunk.insert(this.#lowerBound(chunk.slots, key, slot), slot, this.#prices());
    if (chunk.slots.length > MAX_CHUNK2) this.#chunks.splice(number5 + 1, 0, chunk.split(this.#prices()));
  }
  /** Takes a row out; its prices must still be those it was filed by. */
  remove(slot) {
    if (!this.isPriced(slot)) return;
    const key = this.#keys[slot];
    const number5 = this.#chunkFor(key, slot);
    const chunk = this.#chunks[number5];
    chunk.remove(this.#lowerBound(chunk.slots, key, slot));
    if (chunk.slots.length === 0) this.#chunks.splice(number5, 1);
  }
  /**
   * Hands out the rows in groups, the group with the cheapest possible row first.
   * @param asked The amounts to estimate for.
   * @param floor Rows that cost less are not looked for. All costs are `finite` here.
   * @param ceiling The highest cost that is of interest at the beginning.
   * @param visit Gets a group and what each of its rows costs, which is only good until it returns the highest cost
   * that is still of interest.
   * @returns What all of them cost at least.
   */
  scan(asked2, floor, ceiling, visit) {
    const candidates = [];
    for (const chunk of this.#chunks) {
      chunk.weigh(asked2);
      if (chunk.most >= floor && chunk.least <= ceiling) candidates.push(chunk);
    }
    this.#queue.load(candidates);
    const least = this.#queue.top?.least ?? Number.POSITIVE_INFINITY;
    let highest = ceiling;
    for (let next = this.#queue.pop(); next !== void 0; next = this.#queue.pop()) {
      if (next.least > highest) break;
      next.estimate(asked2, this.#costs);
      highest = visit(next.slots, this.#costs);
    }
    this.#queue.takeAll();
    return least;
  }
  /** Whether a slot has all three prices. */
  isPriced(slot) {
    return !Number.isNaN(this.#columns.prices[this.#first][slot]);
  }
  /** The columns, which grow. */
  #prices() {
    const { prices } = this.#columns;
    return {
      core: prices[this.#first],
      memory: prices[this.#first + 1],
      storage: prices[this.#first + 2]
    };
  }
  #curveKey(slot) {
    const { core, memory, storage } = this.#prices();
    return spread(step(core[slot])) | spread(step(memory[slot])) << 1 | spread(step(storage[slot])) << 2;
  }
  /** The last chunk that begins at or before this place of the curve. */
  #chunkFor(key, slot) {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = low + high + 1 >> 1;
      if (this.#isBefore(key, slot, this.#chunks[middle].slots[0])) high = middle - 1;
      else low = middle;
    }
    return low;
  }
  #lowerBound(slots2, key, slot) {
    let low = 0;
    let high = slots2.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (slots2[middle] === slot || this.#isBefore(key, slot, slots2[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  /** Rows with the same key are told apart by their slots. */
  #isBefore(key, slot, other) {
    const otherKey = this.#keys[other];
    return key !== otherKey ? key < otherKey : slot < other;
  }
};
function finite(cost) {
  return Math.min(cost, Number.MAX_VALUE);
}
function step(price2) {
  return Math.min(1023, Math.floor(16 * Math.log2(1 + 65536 * price2)));
}
function spread(value) {
  let bits = value;
  bits = (bits | bits << 16) & 50331903;
  bits = (bits | bits << 8) & 50393103;
  bits = (bits | bits << 4) & 51130563;
  return (bits | bits << 2) & 153391689;
}

// src/registry/store/predicate.ts
function estimate(columns, index, asked2, currency) {
  const { prices } = columns;
  const first = currency * PRICES_AN_ESTIMATE;
  return monthlyCost(prices[first][index], prices[first + 1][index], prices[first + 2][index], asked2);
}
function estimates({ prices }, rows, asked2, currency, costs) {
  const first = currency * PRICES_AN_ESTIMATE;
  const [core, memory, storage] = [prices[first], prices[first + 1], prices[first + 2]];
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at];
    costs[at] = finite(monthlyCost(core[row], memory[row], storage[row], asked2));
  }
}
var EVERY_COUNTRY = new Uint8Array(CONDITIONS.country.all.length).fill(1);
var Predicate = class {
  #outline;
  /** 1 for each country that is asked for. */
  #countries;
  /** By the place of the amount; 0 where none is asked for. */
  #leasts;
  #listed;
  #interned;
  #mosts;
  /** The places of those that have to be so. */
  #flags;
  /** What is asked of attributes and further resources; null where nothing is. */
  facts;
  /** Providers that are left out. */
  #excluded;
  #asked;
  constructor(filter, numbers) {
    this.#asked = askedAmounts(filter);
    const { cpu: cpu2 = 0, memory = 0, storage = 0 } = filter;
    this.#outline = outlineOf(cpu2, memory, storage, 0);
    this.#leasts = Int32Array.from(AMOUNTS, (name) => filter[name] ?? 0);
    const listed = [];
    const interned = [];
    VALUES.forEach((name, place) => {
      const values2 = filter[name];
      if (values2 === void 0) return;
      const accepted = values2.flatMap((value) => numbers.find(place, value) ?? []);
      const { all } = CONDITIONS[name];
      if (all === null) interned.push({ place, accepted });
      else listed.push({ place, accepted: marks(all.length, accepted) });
    });
    const others = countriesLeft(filter);
    if (others !== null) {
      const asked2 = listed.find(({ place }) => place === COUNTRY);
      if (asked2 === void 0) listed.push({ place: COUNTRY, accepted: others });
      else others.forEach((isLeft, number5) => asked2.accepted[number5] &= isLeft);
    }
    this.#excluded = filter.exclude === void 0 ? null : new Set(filter.exclude);
    this.#listed = listed;
    this.#interned = interned;
    this.#countries = listed.find(({ place }) => place === COUNTRY)?.accepted ?? EVERY_COUNTRY;
    this.#mosts = ESTIMATES.flatMap((name, place) => {
      const most = filter[name];
      return most === void 0 ? [] : [{ place, most }];
    });
    const facts = new FactTests(filter, numbers.facts);
    this.facts = facts.tests.length === 0 ? null : facts;
    this.#flags = FLAGS.flatMap((name, place) => filter[name] === void 0 ? [] : [place]);
  }
  /** Whether the row at this index meets every condition. */
  matches(columns, index) {
    const { amounts, values: values2, flags } = columns;
    const leasts = this.#leasts;
    for (let place = 0; place < leasts.length; place += 1)
      if (amounts[place][index] < leasts[place]) return false;
    for (const { place, accepted } of this.#listed) {
      if (accepted[values2[place][index]] !== 1) return false;
    }
    for (const place of this.#flags) if (flags[place][index] !== 1) return false;
    for (const { place, accepted } of this.#interned) {
      if (!accepted.includes(values2[place][index])) return false;
    }
    if (this.facts !== null && !this.facts.matches(columns.facts[index])) return false;
    for (const { place, most } of this.#mosts) {
      if (!(estimate(columns, index, this.#asked, place) <= most)) return false;
    }
    return this.#excluded === null || !this.#excluded.has(columns.ids[index]);
  }
  /**
   * Adds those of some slots that meet every condition to `found`, in their order.
   * @param from The first position that counts.
   * @param wanted Stops as soon as `found` has so many.
   */
  select(columns, slots2, from, found, wanted) {
    for (let at = from; at < slots2.length; at += BLOCK) {
      let left = this.#outlined(columns, slots2, at);
      if (left > 0) left = this.#tested(columns, left);
      for (let kept = 0; kept < left; kept += 1) {
        found.push(block[kept]);
        if (found.length === wanted) return;
      }
    }
  }
  /** Puts those slots of a block into `block` that may match by their outlines. @returns How many. */
  #outlined({ outline }, slots2, from) {
    const asked2 = this.#outline;
    const countries = this.#countries;
    const end = Math.min(from + BLOCK, slots2.length);
    let left = 0;
    for (let at = from; at < end; at += 1) {
      const slot = slots2[at];
      block[left] = slot;
      left += mayMatch(outline[slot], asked2, countries);
    }
    return left;
  }
  /** Keeps those of `block` that meet all conditions, one condition after the other. @returns How many. */
  #tested(columns, count) {
    let left = count;
    const leasts = this.#leasts;
    for (let place = 0; place < leasts.length; place += 1)
      if (leasts[place] > 0) left = keepAmounts(columns.amounts[place], leasts[place], left);
    for (const { place, accepted } of this.#listed)
      if (place !== COUNTRY) left = keepListed(columns.values[place], accepted, left);
    for (const place of this.#flags) left = keepFlagged(columns.flags[place], left);
    for (const { place, accepted } of this.#interned)
      left = keepInterned(columns.values[place], accepted, left);
    if (this.facts !== null) left = keepWithFacts(columns.facts, this.facts, left);
    for (const { place, most } of this.#mosts) {
      const total = left;
      left = 0;
      for (let at = 0; at < total; at += 1) {
        const slot = block[at];
        block[left] = slot;
        if (estimate(columns, slot, this.#asked, place) <= most) left += 1;
      }
    }
    if (this.#excluded !== null) left = keepOthers(columns.ids, this.#excluded, left);
    return left;
  }
};
var BLOCK = 64;
var block = new Int32Array(BLOCK);
function keepAmounts(amounts, least, count) {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at];
    block[left] = slot;
    if (amounts[slot] >= least) left += 1;
  }
  return left;
}
function keepListed(values2, accepted, count) {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at];
    block[left] = slot;
    if (accepted[values2[slot]] === 1) left += 1;
  }
  return left;
}
function keepFlagged(flags, count) {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at];
    block[left] = slot;
    left += flags[slot];
  }
  return left;
}
function keepInterned(values2, accepted, count) {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at];
    block[left] = slot;
    if (accepted.includes(values2[slot])) left += 1;
  }
  return left;
}
function keepWithFacts(addresses, facts, count) {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at];
    block[left] = slot;
    if (facts.matches(addresses[slot])) left += 1;
  }
  return left;
}
function keepOthers(ids, excluded, count) {
  let left = 0;
  for (let at = 0; at < count; at += 1) {
    const slot = block[at];
    block[left] = slot;
    if (!excluded.has(ids[slot])) left += 1;
  }
  return left;
}
function countriesLeft({ not_country: excluded }) {
  return excluded === void 0 ? null : Uint8Array.from(CONDITIONS.country.all, (code) => excluded.includes(code) ? 0 : 1);
}
function marks(length, marked) {
  const all = new Uint8Array(length);
  for (const number5 of marked) all[number5] = 1;
  return all;
}
var Predicates = class {
  #numbers;
  #kept = /* @__PURE__ */ new WeakMap();
  constructor(numbers) {
    this.#numbers = numbers;
  }
  /** The predicate of a filter; the same filter, not an equal one, finds the one made before. */
  of(filter) {
    const kept = this.#kept.get(filter);
    const { version } = this.#numbers;
    if (kept?.version === version) return kept.predicate;
    const predicate = new Predicate(filter, this.#numbers);
    this.#kept.set(filter, { predicate, version });
    return predicate;
  }
};

// src/lib/clock.ts
import { readFileSync } from "node:fs";
var BOOT_ID = readBootId();
function readBootId() {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}
var TICK_MS = 200;
var MAX_UNPROVEN_MS = 24 * 36e5;

// src/registry/store/value-numbers.ts
function fixedNumbering(all) {
  const numbers = new Map(all.map((value, number5) => [value, number5]));
  const find = (value) => numbers.get(value);
  return {
    find,
    text: (number5) => all[number5],
    acquire: (value) => numbers.get(value),
    retain: () => void 0,
    release: () => void 0,
    version: 0,
    size: 0
  };
}
var ValueNumbers = class {
  facts;
  #numberings = VALUES.map((name) => {
    const { all } = CONDITIONS[name];
    return all === null ? new Interner() : fixedNumbering(all);
  });
  /** @param maxFacts Different facts that rows may have numbers for, if not `MAX_FACTS`. */
  constructor(maxFacts) {
    this.facts = new FactLists(maxFacts);
  }
  /** Another one whenever a text has got a number, or lost it. */
  get version() {
    return this.#numberings.reduce((sum, { version }) => sum + version, this.facts.numbers.version);
  }
  /** How many texts are held. */
  get size() {
    return this.#numberings.reduce((sum, { size }) => sum + size, this.facts.numbers.size);
  }
  /** The number of a value; undefined when nobody can have it. */
  find(place, value) {
    return this.#numberings[place].find(value);
  }
  /** The value that a number stands for, while somebody holds it; null for none. */
  text(place, number5) {
    return this.#numberings[place].text(number5);
  }
  /** The number of a value, held once more. */
  acquire(place, value) {
    return this.#numberings[place].acquire(value);
  }
  /** Holds the numbers of a row once more. */
  retainRow({ values: values2, facts }, index) {
    this.#numberings.forEach((numbering, place) => {
      numbering.retain(values2[place][index]);
    });
    this.facts.retain(facts[index]);
  }
  /** Lets go of the numbers of a row. */
  releaseRow({ values: values2, facts }, index) {
    this.#numberings.forEach((numbering, place) => {
      numbering.release(values2[place][index]);
    });
    this.facts.release(facts[index]);
  }
  /** Lets go of a number. */
  release(place, number5) {
    this.#numberings[place].release(number5);
  }
};

// src/registry/store/store.ts
var INITIAL_CAPACITY = 1024;
var WHEEL_BUCKETS = 4096;
var Store = class {
  /** The provider id of each slot; undefined where the slot is free. */
  ids = [];
  attributes = new AttributeColumns(INITIAL_CAPACITY, this.ids);
  index = new IdIndex(this.ids);
  /** One for each currency, by the place of its estimate in `ESTIMATES`. */
  prices = ESTIMATES.map((_, place) => new PriceIndex(this.attributes, INITIAL_CAPACITY, place));
  numbers;
  predicates;
  facts;
  arena = new Arena();
  wheel = new TimingWheel(INITIAL_CAPACITY, TICK_MS, WHEEL_BUCKETS);
  #slots = /* @__PURE__ */ new Map();
  #freeSlots = [];
  #capacity = INITIAL_CAPACITY;
  #suspects = 0;
  #version = 0;
  #contents = 0;
  /** Added to times that clients are shown. */
  #shift = 0;
  #updatedAt = new Float64Array(INITIAL_CAPACITY);
  #expiresAt = new Float64Array(INITIAL_CAPACITY);
  #deadline = new Float64Array(INITIAL_CAPACITY);
  /** Where a row's bytes lie in the arena: see `packRow`. */
  #address = new Uint32Array(INITIAL_CAPACITY);
  #headBytes = new Uint32Array(INITIAL_CAPACITY);
  #proofBytes = new Uint32Array(INITIAL_CAPACITY);
  #tailStale = new Uint8Array(INITIAL_CAPACITY);
  /** @param maxFacts Different facts that rows may have numbers for, if not `MAX_FACTS`. */
  constructor(maxFacts) {
    this.numbers = new ValueNumbers(maxFacts);
    this.predicates = new Predicates(this.numbers);
    this.facts = new FactIndex(this.ids, this.numbers.facts);
  }
  get size() {
    return this.#slots.size;
  }
  /** Another number whenever an answer may be another one. */
  get version() {
    return this.#version;
  }
  /** Another number whenever an answer may be another one in more than its times. */
  get contents() {
    return this.#contents;
  }
  get suspects() {
    return this.#suspects;
  }
  /** One more than the highest slot ever used. */
  get slotLimit() {
    return this.ids.length;
  }
  find(providerId2) {
    return this.#slots.get(providerId2);
  }
  isLive(slot) {
    return this.attributes.flags[LIVE][slot] === 1;
  }
  /** Whether its provider signed it. */
  isVerified(slot) {
    return this.attributes.flags[VERIFIED][slot] === 1;
  }
  /** Whether the hub has seen it, or its session, come from its address. */
  isIpConfirmed(slot) {
    return this.attributes.flags[IP_CONFIRMED][slot] === 1;
  }
  ipAddress(slot) {
    return ipAddressIn(this.arena.view(this.#address[slot], this.#headBytes[slot]), this.ids[slot]);
  }
  /** Unix milliseconds. */
  createdAt(slot) {
    return createdAtIn(this.arena.view(this.#address[slot], this.#headBytes[slot]));
  }
  updatedAt(slot) {
    return this.#updatedAt[slot];
  }
  /** `updatedAt` of all slots, as it is now. */
  copyUpdatedAt() {
    return this.#updatedAt.slice(0, this.slotLimit);
  }
  deadline(slot) {
    return this.#deadline[slot];
  }
  /**
   * Adds an advertisement in a free slot.
   * @param head What `renderHead` made of the record.
   * @param ordered False while many are loaded: then `loadIndexes` follows.
   */
  add(record, head, lease, live, ordered = true) {
    const slot = this.adopt(record.providerId, this.#place(record, head, live, NO_FACTS), lease);
    if (ordered) {
      this.index.insert(slot);
      this.facts.move(slot, NO_FACTS, this.attributes.facts[slot]);
      for (const prices of this.prices) prices.insert(slot);
    }
    return slot;
  }
  /** Makes room for so many slots at once: growing step by step would leave gaps in the memory of the process. */
  reserve(slots2) {
    let capacity = this.#capacity;
    while (capacity < slots2) capacity *= 2;
    if (capacity > this.#capacity) this.#grow(capacity);
  }
  /** Adds a row that lies in the arena already; `loadIndexes` follows the last. */
  adopt(providerId2, row, lease) {
    const slot = this.#freeSlots.pop() ?? this.ids.length;
    if (slot >= this.#capacity) this.#grow(this.#capacity * 2);
    this.ids[slot] = providerId2;
    this.#slots.set(providerId2, slot);
    this.#contents += 1;
    this.#suspects += isLiveRow(row.attributes, row.from) ? 0 : 1;
    this.#writeContent(slot, row);
    this.setLease(slot, lease);
    this.wheel.schedule(slot, lease.deadline);
    return slot;
  }
  /** The rows among which all that a predicate matches are, and as few others as is worth the trouble. */
  rowsFor({ facts }) {
    return (facts === null ? null : this.facts.narrow(facts, this.size)) ?? this.index;
  }
  /** Puts the slots that were added without order in order, in place of all that was there. */
  loadIndexes(slots2) {
    this.index.load(slots2);
    this.facts.load(this.index, this.attributes.facts);
    for (const prices of this.prices) prices.load(slots2);
  }
  /** Whether clients would see anything but new times if this were put in the slot's place. */
  differs(slot, record, head, live) {
    const present = this.arena.view(this.#address[slot], this.#headBytes[slot]);
    return this.isLive(slot) !== live || this.isVerified(slot) !== (record.proof !== null) || this.isIpConfirmed(slot) !== record.ipConfirmed || present.toString("utf8") !== head;
  }
  /** Puts a newer advertisement of the same provider in the slot's place. */
  replace(slot, record, head, lease, live) {
    this.#contents += 1;
    this.renew(slot, record, head, lease, live);
  }
  /** The same for one that does not differ, but for its times and its proof. */
  renew(slot, record, head, lease, live) {
    this.#suspects += (this.isLive(slot) ? 1 : 0) - (live ? 1 : 0);
    for (const prices of this.prices) prices.remove(slot);
    const factsBefore = this.attributes.facts[slot];
    const row = this.#place(record, head, live, factsBefore);
    this.facts.move(slot, factsBefore, factsInRow(row.attributes, row.from));
    this.#releaseContent(slot);
    this.#writeContent(slot, row);
    for (const prices of this.prices) prices.insert(slot);
    this.setLease(slot, lease);
  }
  /** Sets what a session decides. */
  setStanding(slot, live, ipConfirmed) {
    this.#suspects += (this.isLive(slot) ? 1 : 0) - (live ? 1 : 0);
    this.attributes.flags[LIVE][slot] = live ? 1 : 0;
    this.attributes.flags[IP_CONFIRMED][slot] = ipConfirmed ? 1 : 0;
    this.#tailStale[slot] = 1;
    this.#version += 1;
    this.#contents += 1;
  }
  /** Sets the times. The wheel finds a later deadline when it comes by; only an earlier one is filed anew. */
  setLease(slot, lease) {
    if (lease.deadline < this.#deadline[slot]) this.wheel.schedule(slot, lease.deadline);
    this.#updatedAt[slot] = lease.updatedAt;
    this.#expiresAt[slot] = lease.expiresAt;
    this.#deadline[slot] = lease.deadline;
    this.#tailStale[slot] = 1;
    this.#version += 1;
  }
  /** Shows all times that many milliseconds later than they are stored. */
  shiftTimes(ms) {
    this.#shift = ms;
    this.#tailStale.fill(1);
    this.#version += 1;
  }
  remove(slot) {
    const id = this.ids[slot];
    this.wheel.cancel(slot);
    this.index.remove(slot);
    this.facts.move(slot, this.attributes.facts[slot], NO_FACTS);
    for (const prices of this.prices) prices.remove(slot);
    this.#slots.delete(id);
    this.#suspects -= this.isLive(slot) ? 0 : 1;
    this.#releaseContent(slot);
    this.ids[slot] = void 0;
    this.#freeSlots.push(slot);
    this.#version += 1;
    this.#contents += 1;
  }
  /** The JSON of an advertisement: a view that is good until the next change of the store. */
  fragment(slot) {
    this.#refreshTail(slot);
    return this.arena.view(this.#address[slot], this.fragmentBytes(slot));
  }
  /** The length of an advertisement's JSON. */
  fragmentBytes(slot) {
    return this.#headBytes[slot] + tailBytes(this.#tailFlags(slot));
  }
  /** Writes an advertisement's JSON to a place in `target`. @returns The place behind it. */
  copyFragment(slot, target, position) {
    this.#refreshTail(slot);
    const bytes = this.fragmentBytes(slot);
    this.arena.copy(this.#address[slot], bytes, target, position);
    return position + bytes;
  }
  advertisement(slot) {
    return JSON.parse(this.fragment(slot).toString("utf8"));
  }
  /** What the provider signed; null for an unsigned advertisement. */
  proof(slot) {
    if (!this.isVerified(slot)) return null;
    return proofIn(this.#bytes(slot), this.#headBytes[slot], this.ids[slot]);
  }
  /** What a signed advertisement tells of the binding of its id; undefined for an unsigned one. */
  identity(slot) {
    if (!this.isVerified(slot)) return void 0;
    const providerId2 = this.ids[slot];
    const { publicKey, t } = signerIn(this.#bytes(slot), this.#headBytes[slot], providerId2);
    return { providerId: providerId2, publicKey, lastT: t, seenAt: this.#updatedAt[slot] };
  }
  #bytes(slot) {
    return this.arena.view(this.#address[slot], rowBytes(this.#headBytes[slot], this.#proofBytes[slot]));
  }
  #refreshTail(slot) {
    if (this.#tailStale[slot] === 0) return;
    const address = this.#address[slot];
    writeTail(this.arena.slab(address), this.arena.offset(address) + this.#headBytes[slot], {
      ...this.#tailFlags(slot),
      updatedAt: this.#updatedAt[slot] + this.#shift,
      expiresAt: this.#expiresAt[slot] + this.#shift
    });
    this.#tailStale[slot] = 0;
  }
  #tailFlags(slot) {
    const { flags } = this.attributes;
    return {
      live: flags[LIVE][slot],
      verified: flags[VERIFIED][slot],
      ipConfirmed: flags[IP_CONFIRMED][slot]
    };
  }
  /** @param factsBefore Where the facts are of what was there before. */
  #place(record, head, live, factsBefore) {
    const { bytes, headBytes, proofBytes } = packRow(record, head);
    const address = this.arena.allocate(bytes.length);
    this.arena.slab(address).set(bytes, this.arena.offset(address));
    const attributes2 = rowOf(
      record,
      live,
      (place, value) => this.numbers.acquire(place, value),
      (facts) => this.numbers.facts.put(facts, factsBefore)
    );
    return { attributes: attributes2, from: 0, address, headBytes, proofBytes };
  }
  #writeContent(slot, row) {
    this.attributes.write(slot, row.attributes, row.from);
    this.#address[slot] = row.address;
    this.#headBytes[slot] = row.headBytes;
    this.#proofBytes[slot] = row.proofBytes;
    this.#tailStale[slot] = 1;
    this.#version += 1;
  }
  #releaseContent(slot) {
    this.numbers.releaseRow(this.attributes, slot);
    this.arena.release(this.#address[slot], rowBytes(this.#headBytes[slot], this.#proofBytes[slot]));
  }
  #grow(capacity) {
    this.attributes.grow(capacity);
    for (const prices of this.prices) prices.grow(capacity);
    this.wheel.grow(capacity);
    this.#updatedAt = grown(this.#updatedAt, new Float64Array(capacity));
    this.#expiresAt = grown(this.#expiresAt, new Float64Array(capacity));
    this.#deadline = grown(this.#deadline, new Float64Array(capacity));
    this.#address = grown(this.#address, new Uint32Array(capacity));
    this.#headBytes = grown(this.#headBytes, new Uint32Array(capacity));
    this.#proofBytes = grown(this.#proofBytes, new Uint32Array(capacity));
    this.#tailStale = grown(this.#tailStale, new Uint8Array(capacity));
    this.#capacity = capacity;
  }
};

// src/registry/change-log.ts
var INITIAL_SLOTS = 1024;
var ChangeLog = class {
  before;
  #capacity;
  #numbers;
  #ids = [];
  /** The position of each change. */
  #seqs;
  #existed;
  #reasons = [];
  /** The slot that each change was made in. */
  #slots;
  /** The ordinal of the change before each in the same slot; 0 for none. */
  #previousInSlot;
  /** The ordinal of the last change in each slot; 0 for none. */
  #latestInSlot = new Float64Array(INITIAL_SLOTS);
  /** The ordinal of the same provider's change before each; 0 for none that is known. */
  #previous;
  /** Whether there is a newer change of the same provider. */
  #superseded;
  /** The ordinal of each provider's last change, as far as it is in the ring. */
  #latest = /* @__PURE__ */ new Map();
  #epoch;
  /** The ordinal of the last change; 0 before the first. */
  #count = 0;
  #seq = 0;
  /** The position after which no change is missing. */
  #floor = 0;
  /** @param capacity How many changes are kept. */
  constructor(epoch, capacity, numbers) {
    this.#epoch = epoch;
    this.#capacity = Math.max(1, capacity);
    this.before = new AttributeColumns(this.#capacity, this.#ids);
    this.#seqs = new Float64Array(this.#capacity);
    this.#existed = new Uint8Array(this.#capacity);
    this.#slots = new Int32Array(this.#capacity);
    this.#previous = new Float64Array(this.#capacity);
    this.#previousInSlot = new Float64Array(this.#capacity);
    this.#superseded = new Uint8Array(this.#capacity);
    this.#numbers = numbers;
  }
  /** Names the log whose positions these are. */
  get epoch() {
    return this.#epoch;
  }
  /** The position of the last entry that changed what is seen: those behind it leave every list and stream as it is. */
  get seq() {
    return this.#seq;
  }
  /** The ordinal of the last change; 0 before the first. */
  get count() {
    return this.#count;
  }
  /** Follows a log from this position on, before its first entry. */
  startAt(epoch, seq) {
    this.#epoch = epoch;
    this.#seq = seq;
    this.#floor = seq;
  }
  /** Whether all changes after this position are still here. */
  covers(seq) {
    return seq >= this.#floor && seq <= this.#seq;
  }
  /**
   * Records a change that is about to be made. For a provider that is new, `place` follows.
   * @param seq The position of the entry that makes it.
   * @param current Where the attributes before it are; null when there is no advertisement yet.
   * @returns The row of `before` with the attributes before it; null when there was no advertisement.
   */
  append(seq, providerId2, current, reason) {
    this.#seq = seq;
    this.#count += 1;
    const row = this.#count % this.#capacity;
    if (this.#count > this.#capacity) this.#floor = this.#seqs[row];
    if (this.#existed[row] === 1) this.#numbers.releaseRow(this.before, row);
    this.#link(providerId2, row);
    this.#seqs[row] = seq;
    this.#reasons[row] = reason;
    this.#existed[row] = current === null ? 0 : 1;
    if (current === null) return null;
    this.#fileInSlot(current.slot);
    this.before.copyRow(row, current.columns, current.slot);
    this.#numbers.retainRow(this.before, row);
    return row;
  }
  /** Says in which slot the provider is that the last change has added. */
  place(slot) {
    this.#fileInSlot(slot);
  }
  /** The ordinal of the last change in a slot; 0 for none. */
  latestIn(slot) {
    return slot < this.#latestInSlot.length ? this.#latestInSlot[slot] : 0;
  }
  /** The ordinal of the first change in a slot after another, since which all are still here; 0 for none. */
  firstIn(slot, after) {
    let first = 0;
    for (let at = this.latestIn(slot); at > after; at = this.#previousInSlot[at % this.#capacity])
      first = at;
    return first;
  }
  /** The row of `before` with the attributes before a change that is still here; null when there was no advertisement. */
  rowBefore(ordinal) {
    const row = ordinal % this.#capacity;
    return this.#existed[row] === 1 ? row : null;
  }
  /**
   * Looks at the providers that changed after `seq`, each once, in the order of their last changes. The caller has
   * asked `covers`.
   * @param look Ends it by returning false. What it gets is only good until it returns.
   */
  since(seq, look) {
    const difference = { providerId: "", beforeRow: null, slot: null, reason: null };
    const start = this.#firstAfter(seq);
    for (let at = start; at <= this.#count; at += 1) {
      const last = at % this.#capacity;
      if (this.#superseded[last] === 1) continue;
      let first = last;
      difference.reason = this.#reasons[last] ?? null;
      for (let before = this.#previous[first]; before >= start; before = this.#previous[first]) {
        first = before % this.#capacity;
        difference.reason ??= this.#reasons[first] ?? null;
      }
      difference.providerId = this.#ids[last];
      difference.beforeRow = this.#existed[first] === 1 ? first : null;
      difference.slot = this.#reasons[last] === null ? this.#slots[last] : null;
      if (!look(difference)) return;
    }
  }
  /** The ordinal of the first change after a position; one more than the last where there is none. */
  #firstAfter(seq) {
    let low = Math.max(1, this.#count - this.#capacity + 1);
    let high = this.#count + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#seqs[middle % this.#capacity] > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  #fileInSlot(slot) {
    if (slot >= this.#latestInSlot.length)
      this.#latestInSlot = grown(this.#latestInSlot, new Float64Array(2 ** Math.ceil(Math.log2(slot + 1))));
    const row = this.#count % this.#capacity;
    this.#slots[row] = slot;
    this.#previousInSlot[row] = this.#latestInSlot[slot];
    this.#latestInSlot[slot] = this.#count;
  }
  /** Puts the present change before all others of its provider, in place of the oldest of all. */
  #link(providerId2, row) {
    const replaced = this.#count - this.#capacity;
    const oldest = this.#ids[row];
    if (oldest !== void 0 && this.#latest.get(oldest) === replaced) this.#latest.delete(oldest);
    const previous = this.#latest.get(providerId2) ?? 0;
    if (previous > 0) this.#superseded[previous % this.#capacity] = 1;
    this.#ids[row] = providerId2;
    this.#previous[row] = previous;
    this.#superseded[row] = 0;
    this.#latest.set(providerId2, this.#count);
  }
};

// src/lib/bitmap.ts
function lowestBit(word) {
  return 31 - Math.clz32(word & -word);
}
function countBits(word) {
  const pairs = word - (word >>> 1 & 1431655765);
  const nibbles = (pairs & 858993459) + (pairs >>> 2 & 858993459);
  return Math.imul(nibbles + (nibbles >>> 4) & 252645135, 16843009) >>> 24;
}

// src/registry/answers/tests.ts
function alone(member, asked2, test) {
  return [{ member, asked: asked2, ...test }];
}
var TESTERS = {
  "at-least": (name, filter) => {
    const place = AMOUNTS.indexOf(name);
    const least = filter[name];
    return alone(name, least, {
      mark: ({ amounts }, rows, bit, misses) => markLess(amounts[place], least, rows, bit, misses),
      offered: ({ amounts }, index) => amounts[place][index]
    });
  },
  "one-of": (name, filter, numbers) => {
    const place = VALUES.indexOf(name);
    const asked2 = filter[name];
    const accepted = numbersOf(asked2, place, numbers);
    return alone(name, asked2, {
      mark: ({ values: values2 }, rows, bit, misses) => markValues(values2[place], accepted, false, rows, bit, misses),
      offered: ({ values: values2 }, index) => numbers.text(place, values2[place][index])
    });
  },
  "none-of": (name, filter, numbers) => {
    const asked2 = filter[name];
    const refused = numbersOf(asked2, COUNTRY, numbers);
    return alone(name, asked2, {
      mark: ({ values: values2 }, rows, bit, misses) => markValues(values2[COUNTRY], refused, true, rows, bit, misses),
      offered: ({ values: values2 }, index) => numbers.text(COUNTRY, values2[COUNTRY][index])
    });
  },
  "not-these": (name, filter) => {
    const asked2 = filter[name];
    const refused = new Set(asked2);
    return alone(name, asked2, {
      mark: ({ ids }, rows, bit, misses) => markIds(ids, refused, rows, bit, misses),
      offered: ({ ids }, index) => ids[index]
    });
  },
  "at-most": (name, filter) => {
    const place = ESTIMATES.indexOf(name);
    const most = filter[name];
    const amounts = askedAmounts(filter);
    return alone(name, most, {
      mark: (columns, rows, bit, misses) => markDearer(columns, place, amounts, most, rows, bit, misses),
      offered: (columns, index) => priceOf(estimate(columns, index, amounts, place))
    });
  },
  only: (name, filter) => {
    const place = FLAGS.indexOf(name);
    return alone(name, filter[name], {
      mark: ({ flags }, rows, bit, misses) => markUnflagged(flags[place], rows, bit, misses),
      offered: ({ flags }, index) => {
        const isSo = flags[place][index] === 1;
        return place === LIVE ? isSo ? "live" : "suspect" : isSo;
      }
    });
  },
  "further-resources": (name, filter, { facts }) => Object.entries(filter[name]).map(([resource, asked2]) => {
    const tests = new FactTests({ [name]: { [resource]: asked2 } }, facts);
    return {
      member: `${name}.${resource}`,
      asked: asked2,
      ...factTest(tests, resourceSubject(resource), 0, facts)
    };
  }),
  attributes: (name, filter, { facts }) => Object.entries(filter[name]).map(([attribute, asked2]) => {
    const tests = new FactTests({ [name]: { [attribute]: asked2 } }, facts);
    return {
      member: `attr.${attribute}`,
      asked: asked2,
      ...factTest(tests, attributeSubject(attribute), null, facts)
    };
  })
};
function factTest(tests, subject, none, lists) {
  return {
    mark: ({ facts }, rows, bit, misses) => markWithoutFact(facts, tests, rows, bit, misses),
    offered: ({ facts }, index) => {
      const fact = lists.find(facts[index], subject);
      return fact === void 0 ? none : valueIn(fact);
    }
  };
}
function testsOfKind(kind, name, filter, numbers) {
  return TESTERS[kind](name, filter, numbers);
}
function testsOf(filter, numbers) {
  return CONDITION_NAMES.flatMap(
    (name) => filter[name] === void 0 ? [] : testsOfKind(CONDITIONS[name].kind, name, filter, numbers)
  );
}
function priceOf(cost) {
  return Number.isNaN(cost) ? null : finite(cost);
}
function numbersOf(values2, place, numbers) {
  return new Set(values2.flatMap((value) => numbers.find(place, value) ?? []));
}
function markLess(amounts, least, rows, bit, misses) {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (amounts[rows[at]] >= least) continue;
    misses[at] |= bit;
    count += 1;
  }
  return count;
}
function markValues(values2, listed, isMiss, rows, bit, misses) {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (listed.has(values2[rows[at]]) !== isMiss) continue;
    misses[at] |= bit;
    count += 1;
  }
  return count;
}
function markIds(ids, refused, rows, bit, misses) {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (!refused.has(ids[rows[at]])) continue;
    misses[at] |= bit;
    count += 1;
  }
  return count;
}
function markDearer(columns, place, amounts, most, rows, bit, misses) {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (estimate(columns, rows[at], amounts, place) <= most) continue;
    misses[at] |= bit;
    count += 1;
  }
  return count;
}
function markUnflagged(flags, rows, bit, misses) {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (flags[rows[at]] === 1) continue;
    misses[at] |= bit;
    count += 1;
  }
  return count;
}
function markWithoutFact(addresses, facts, rows, bit, misses) {
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    if (facts.matches(addresses[rows[at]])) continue;
    misses[at] |= bit;
    count += 1;
  }
  return count;
}

// src/registry/answers/misses.ts
var WORK_A_ROW = 0.1;
var WORK_A_TEST = 0.03;
var Misses = class {
  #tests;
  #each;
  #bits = new Int32Array(1);
  constructor(filter, numbers) {
    this.#tests = testsOf(filter, numbers);
    this.#each = new Float64Array(this.#tests.length);
  }
  /** How many of the rows that were looked at miss each condition. */
  get rejectedBy() {
    return this.byMember(this.#each);
  }
  /** Numbers that belong to the conditions, by their names. */
  byMember(numbers) {
    return Object.fromEntries(this.#tests.map(({ member }, place) => [member, numbers[place]]));
  }
  /** Looks at all rows, in steps. */
  *visit(rows, look) {
    const workARow = WORK_A_ROW + WORK_A_TEST * this.#tests.length;
    yield* rows.visit(
      (columns, indexes, slots2) => {
        if (this.#bits.length < indexes.length) this.#bits = new Int32Array(indexes.length);
        const bits = this.#bits.fill(0);
        this.#tests.forEach((test, place) => {
          this.#each[place] += test.mark(columns, indexes, 1 << place, bits);
        });
        look(columns, indexes, slots2, bits);
      },
      (looked) => looked * workARow
    );
  }
  /** What one row misses, in words. */
  describe({ columns, index }) {
    return this.#tests.filter((test) => test.mark(columns, [index], 1, this.#bits) > 0).map((test) => ({ member: test.member, asked: test.asked, offered: test.offered(columns, index) }));
  }
};

// src/protocol/cursor.ts
function formatCursor(epoch, seq) {
  return `${epoch}:${String(seq)}`;
}

// src/registry/answers/rows-at.ts
var BLOCK2 = 512;
var STEP = 4096;
var RowsAt = class {
  /** `"<epoch>:<seq>"` */
  cursor;
  /** How many there are. */
  size;
  #store;
  #changes;
  #seq;
  /** The ordinal of the last change before. */
  #change;
  #slots;
  /** Used again for each block. */
  #present = [];
  constructor(store2, changes2) {
    this.#store = store2;
    this.#changes = changes2;
    this.#seq = changes2.seq;
    this.#change = changes2.count;
    this.#slots = store2.slotLimit;
    this.size = store2.size;
    this.cursor = formatCursor(changes2.epoch, changes2.seq);
  }
  /**
   * Hands out all rows, each once, in steps.
   * @param workOf How much work it is to look at so many rows.
   * @throws ProtocolError `ADV_003` when so much has changed meanwhile that the log does not have it any more.
   */
  *visit(look, workOf) {
    for (let from = 0; from < this.#slots; from += STEP) {
      this.#check();
      const to = Math.min(from + STEP, this.#slots);
      for (let start = from; start < to; start += BLOCK2)
        this.#block(start, Math.min(start + BLOCK2, to), look);
      yield workOf(to - from);
    }
    this.#check();
  }
  /**
   * Where the row of a slot is, until the store changes; null where nothing was.
   * @throws ProtocolError `ADV_003` as `visit`.
   */
  at(slot) {
    this.#check();
    const changed = this.#changes.firstIn(slot, this.#change);
    if (changed === 0) {
      return this.#store.ids[slot] === void 0 ? null : { columns: this.#store.attributes, index: slot };
    }
    const index = this.#changes.rowBefore(changed);
    return index === null ? null : { columns: this.#changes.before, index };
  }
  #block(from, to, look) {
    const { ids, attributes: attributes2 } = this.#store;
    const changes2 = this.#changes;
    const present = this.#present;
    const before = [];
    const changed = [];
    let count = 0;
    const isUntouched = changes2.count === this.#change;
    for (let slot = from; slot < to; slot += 1) {
      if (isUntouched || changes2.latestIn(slot) <= this.#change) {
        if (ids[slot] !== void 0) present[count++] = slot;
      } else {
        const row = changes2.rowBefore(changes2.firstIn(slot, this.#change));
        if (row === null) continue;
        before.push(row);
        changed.push(slot);
      }
    }
    present.length = count;
    if (count > 0) look(attributes2, present, present);
    if (before.length > 0) look(changes2.before, before, changed);
  }
  #check() {
    if (this.#changes.covers(this.#seq)) return;
    throw new ProtocolError("ADV_003", "too much changed while the answer was made; try again soon", {
      unavailable: true,
      retryAfterSeconds: 5
    });
  }
};

// src/registry/answers/explain.ts
var MAX_NEAREST = 10;
var MAX_CONDITIONS = 32;
function isNearer(a, b) {
  if (a.missed !== b.missed) return a.missed < b.missed;
  return a.cost !== b.cost ? a.cost < b.cost : a.id < b.id;
}
function* explain(store2, changes2, filter) {
  const rows = new RowsAt(store2, changes2);
  const misses = new Misses(filter, store2.numbers);
  const only2 = new Float64Array(MAX_CONDITIONS);
  const amounts = askedAmounts(filter);
  const nearest = new Heap((a, b) => isNearer(b, a));
  let matched = 0;
  yield* misses.visit(rows, (columns, indexes, slots2, bits) => {
    for (let at = 0; at < indexes.length; at += 1) {
      const missing = bits[at];
      if (missing === 0) {
        matched += 1;
        continue;
      }
      const missed = countBits(missing);
      if (missed === 1) only2[lowestBit(missing)] += 1;
      const isFull = nearest.size === MAX_NEAREST;
      if (isFull && missed > nearest.top.missed) continue;
      const index = indexes[at];
      const cost = sortable(estimate(columns, index, amounts, USD));
      const near = { slot: slots2[at], id: columns.ids[index], missed, cost };
      if (!isFull) nearest.push(near);
      else if (isNearer(near, nearest.top)) nearest.replaceTop(near);
    }
  });
  return {
    cursor: rows.cursor,
    providers: rows.size,
    matched,
    rejected_by: misses.rejectedBy,
    only_by: misses.byMember(only2),
    nearest: nearest.takeAll().sort((a, b) => isNearer(a, b) ? -1 : 1).map(({ id, slot }) => ({ provider_id: id, misses: misses.describe(rows.at(slot)) }))
  };
}
function* explainProvider(store2, changes2, filter, providerId2) {
  const rows = new RowsAt(store2, changes2);
  const misses = new Misses(filter, store2.numbers);
  const slot = store2.find(providerId2);
  if (slot === void 0) {
    throw new ProtocolError("ADV_004", `there is no advertisement of ${JSON.stringify(providerId2)}`);
  }
  const own = misses.describe({ columns: store2.attributes, index: slot });
  const amounts = askedAmounts(filter);
  const ownCost = sortable(estimate(store2.attributes, slot, amounts, USD));
  let before = 0;
  let matched = 0;
  yield* misses.visit(rows, (columns, indexes, _slots, bits) => {
    for (let at = 0; at < indexes.length; at += 1) {
      if (bits[at] !== 0) continue;
      matched += 1;
      const index = indexes[at];
      const cost = sortable(estimate(columns, index, amounts, USD));
      if (cost < ownCost || cost === ownCost && columns.ids[index] < providerId2) before += 1;
    }
  });
  const matches = own.length === 0;
  return {
    cursor: rows.cursor,
    provider_id: providerId2,
    matches,
    misses: own,
    rank: { by_price: matches ? before + 1 : null, of: matched }
  };
}
function sortable(cost) {
  return priceOf(cost) ?? Number.POSITIVE_INFINITY;
}

// src/lib/quantiles.ts
var STEP2 = 65536;
var LOOKS_A_ROW = 64;
var FEW2 = 1024;
var DIGITS = 4;
var BASE = 1 << 16;
var NO_TARGET = -1;
function* quantiles(values2, shares) {
  const places = shares.map((share) => Math.max(0, Math.ceil(share * values2.length) - 1));
  return yield* valuesAt(values2, places, 0);
}
function* valuesAt(values2, places, digit) {
  if (digit === DIGITS) return places.map(() => values2[0]);
  if (values2.length <= FEW2) {
    values2.sort();
    yield values2.length / LOOKS_A_ROW;
    return places.map((place) => values2[place]);
  }
  const counts = yield* countDigits(values2, digit);
  const groups = groupsOf(places, counts);
  yield* fill(groups, values2, digit);
  const found = [];
  for (const { values: same, places: inside } of groups.values())
    found.push(...yield* valuesAt(same, inside, digit + 1));
  return found;
}
function groupsOf(places, counts) {
  const groups = /* @__PURE__ */ new Map();
  let digit = 0;
  let before = 0;
  for (const place of places) {
    for (; before + counts[digit] <= place; digit += 1) before += counts[digit];
    const known2 = groups.get(digit);
    if (known2 === void 0)
      groups.set(digit, { values: new Float64Array(counts[digit]), places: [place - before] });
    else known2.places.push(place - before);
  }
  return groups;
}
function* countDigits(values2, digit) {
  const digits = digitsOf(values2, digit);
  const counts = new Uint32Array(BASE);
  for (let from = 0; from < values2.length; from += STEP2) {
    const to = Math.min(from + STEP2, values2.length);
    countPart(counts, digits, from, to);
    yield (to - from) / LOOKS_A_ROW;
  }
  return counts;
}
function countPart(counts, digits, from, to) {
  for (let at = from; at < to; at += 1) counts[digits[DIGITS * at]] += 1;
}
function* fill(groups, values2, digit) {
  const digits = digitsOf(values2, digit);
  const targets = [...groups.values()].map((group) => group.values);
  const counts = new Uint32Array(targets.length);
  const targetOf = new Int8Array(BASE).fill(NO_TARGET);
  [...groups.keys()].forEach((wanted, number5) => targetOf[wanted] = number5);
  for (let from = 0; from < values2.length; from += STEP2) {
    const to = Math.min(from + STEP2, values2.length);
    for (let at = from; at < to; at += 1) {
      const number5 = targetOf[digits[DIGITS * at]];
      if (number5 !== NO_TARGET) targets[number5][counts[number5]++] = values2[at];
    }
    yield (to - from) / LOOKS_A_ROW;
  }
}
function digitsOf(values2, digit) {
  const first = DIGITS - 1 - digit;
  return new Uint16Array(values2.buffer, values2.byteOffset + 2 * first, DIGITS * values2.length - first);
}

// src/registry/answers/attribute-groups.ts
var WITHOUT = 0;
var AttributeGroups = class {
  #subject;
  /** The number of it; -1 where no row has one: rows that come later do not count. */
  #subjectNumber;
  #lists;
  /** By the number of a group; nothing for those without the attribute. */
  #facts = [null];
  #groups = /* @__PURE__ */ new Map();
  /** The groups of facts that rows have numbers for, by these; `WITHOUT` where none is known yet. */
  #byNumber = new Uint32Array(64);
  constructor(attribute, lists) {
    this.#subject = attributeSubject(attribute);
    this.#subjectNumber = lists.numbers.findSubject(this.#subject) ?? -1;
    this.#lists = lists;
  }
  numberOf({ facts }, index) {
    const lists = this.#lists;
    const address = facts[index];
    const texts = lists.unnumbered === 0 ? void 0 : lists.textsOf(address);
    if (texts !== void 0) {
      const fact = texts.find((one) => subjectOf(one) === this.#subject);
      return fact === void 0 ? WITHOUT : this.#groupOf(fact);
    }
    const number5 = lists.about(address, this.#subjectNumber);
    if (number5 === UNNUMBERED) return WITHOUT;
    const known2 = number5 < this.#byNumber.length ? this.#byNumber[number5] : WITHOUT;
    return known2 === WITHOUT ? this.#file(number5) : known2;
  }
  keyOf(group) {
    const fact = this.#facts[group] ?? null;
    return fact === null ? null : valueIn(fact);
  }
  /** Rows hold their facts, and the change log those of rows that have changed, so a number means the same throughout. */
  #file(number5) {
    const group = this.#groupOf(this.#lists.numbers.fact(number5));
    if (number5 >= this.#byNumber.length)
      this.#byNumber = grown(this.#byNumber, new Uint32Array(2 * number5));
    this.#byNumber[number5] = group;
    return group;
  }
  #groupOf(fact) {
    const known2 = this.#groups.get(fact);
    if (known2 !== void 0) return known2;
    const group = this.#facts.push(fact) - 1;
    this.#groups.set(fact, group);
    return group;
  }
};

// src/registry/answers/buckets.ts
var ONE_GROUP = { numberOf: () => 0, keyOf: () => null };
var [PROVIDERS, LIVES, CORES, MEMORIES, STORAGES, PRICED, SUMS] = [0, 1, 2, 3, 4, 5, 6];
var TYPES = ["string", "number", "boolean"];
var NONE4 = -1;
var STEP3 = 32768;
var COSTS_A_ROW = 16;
var Buckets = class {
  #grouping;
  #amounts;
  #keys = [];
  #sums = new Float64Array(SUMS * 64);
  /** By the number of what is common; `NONE` where no row came yet. */
  #byNumber = new Int32Array(64).fill(NONE4);
  /** The cost and the bucket of each priced row. */
  #costs = new Float64Array(1024);
  #bucketsOfCosts = new Int32Array(1024);
  #priced = 0;
  /** The bucket of each row that is being added, and what it costs. */
  #buckets = new Int32Array(0);
  #rowCosts = new Float64Array(0);
  /** @param amounts What costs are estimated for. */
  constructor(grouping, amounts) {
    this.#grouping = grouping;
    this.#amounts = amounts;
  }
  /** How many there are. */
  get count() {
    return this.#keys.length;
  }
  /** What all priced rows cost; good until more are added. */
  get costs() {
    return this.#costs.subarray(0, this.#priced);
  }
  /** Adds rows, a column after the other. */
  add(columns, rows) {
    if (this.#buckets.length < rows.length) {
      this.#buckets = new Int32Array(rows.length);
      this.#rowCosts = new Float64Array(rows.length);
    }
    const buckets = this.#buckets;
    const grouping = this.#grouping;
    for (let at = 0; at < rows.length; at += 1)
      buckets[at] = this.#bucketOf(grouping.numberOf(columns, rows[at]));
    const { amounts, flags } = columns;
    const sums = this.#sums;
    addColumn(sums, CORES, amounts[CPU], rows, buckets);
    addColumn(sums, MEMORIES, amounts[MEMORY], rows, buckets);
    addColumn(sums, STORAGES, amounts[STORAGE], rows, buckets);
    addColumn(sums, LIVES, flags[LIVE], rows, buckets);
    for (let at = 0; at < rows.length; at += 1) sums[SUMS * buckets[at] + PROVIDERS] += 1;
    estimates(columns, rows, this.#amounts, USD, this.#rowCosts);
    this.#addCosts(rows.length);
  }
  /** The order of two by size: first that with more providers, and of equally many that whose key comes first: texts, then numbers. */
  compare(a, b) {
    const difference = this.#sums[SUMS * b + PROVIDERS] - this.#sums[SUMS * a + PROVIDERS];
    if (difference !== 0) return difference;
    const first = this.#keys[a] ?? null;
    const second = this.#keys[b] ?? null;
    if (first === null || second === null) return first === null ? 1 : -1;
    const byType = TYPES.indexOf(typeof first) - TYPES.indexOf(typeof second);
    if (byType !== 0) return byType;
    return first < second ? -1 : 1;
  }
  /** What the priced rows of each of these buckets cost, in steps. */
  *costsIn(wanted) {
    const found = wanted.map((bucket) => new Float64Array(this.#sums[SUMS * bucket + PRICED]));
    const counts = new Uint32Array(wanted.length);
    const placeOf = new Int32Array(this.count).fill(NONE4);
    for (const [place, bucket] of wanted.entries()) placeOf[bucket] = place;
    for (let from = 0; from < this.#priced; from += STEP3) {
      const to = Math.min(from + STEP3, this.#priced);
      for (let at = from; at < to; at += 1) {
        const place = placeOf[this.#bucketsOfCosts[at]];
        if (place !== NONE4) found[place][counts[place]++] = this.#costs[at];
      }
      yield (to - from) / COSTS_A_ROW;
    }
    return found;
  }
  describe(bucket, usdPerMonth) {
    return describe(
      this.#keys[bucket],
      this.#sums.subarray(SUMS * bucket, SUMS * (bucket + 1)),
      usdPerMonth
    );
  }
  /** All of them together. */
  total(usdPerMonth) {
    const sums = new Float64Array(SUMS);
    for (let at = 0; at < SUMS * this.count; at += 1) sums[at % SUMS] += this.#sums[at];
    return describe(null, sums, usdPerMonth);
  }
  /** The bucket of a number, which is made for its first row. */
  #bucketOf(number5) {
    const known2 = number5 < this.#byNumber.length ? this.#byNumber[number5] : NONE4;
    return known2 === NONE4 ? this.#make(number5) : known2;
  }
  #make(number5) {
    const made = this.#keys.push(this.#grouping.keyOf(number5)) - 1;
    if (SUMS * this.#keys.length > this.#sums.length)
      this.#sums = grown(this.#sums, new Float64Array(2 * this.#sums.length));
    if (number5 >= this.#byNumber.length)
      this.#byNumber = grown(this.#byNumber, new Int32Array(2 * number5).fill(NONE4));
    this.#byNumber[number5] = made;
    return made;
  }
  #addCosts(rows) {
    if (this.#priced + rows > this.#costs.length) {
      const room = 2 * (this.#priced + rows);
      this.#costs = grown(this.#costs, new Float64Array(room));
      this.#bucketsOfCosts = grown(this.#bucketsOfCosts, new Int32Array(room));
    }
    for (let at = 0; at < rows; at += 1) {
      const cost = this.#rowCosts[at];
      if (Number.isNaN(cost)) continue;
      const bucket = this.#buckets[at];
      this.#sums[SUMS * bucket + PRICED] += 1;
      this.#costs[this.#priced] = cost + 0;
      this.#bucketsOfCosts[this.#priced] = bucket;
      this.#priced += 1;
    }
  }
};
function addColumn(sums, place, column, rows, buckets) {
  for (let at = 0; at < rows.length; at += 1) sums[SUMS * buckets[at] + place] += column[rows[at]];
}
function describe(key, sums, usdPerMonth) {
  return {
    key,
    providers: sums[PROVIDERS],
    live: sums[LIVES],
    resources: { cpu: sums[CORES], memory: sums[MEMORIES], storage: sums[STORAGES] },
    usd_per_month: usdPerMonth
  };
}

// src/registry/answers/market.ts
var MAX_BUCKETS = 100;
var SHARES = [0, 0.25, 0.5, 0.75, 1];
var STEP4 = 1024;
var WORK_A_BUCKET = 4;
var WORK_A_ROW2 = 0.5;
function* market(store2, changes2, filter, by) {
  const rows = new RowsAt(store2, changes2);
  const predicate = new Predicate(filter, store2.numbers);
  const buckets = new Buckets(by === null ? ONE_GROUP : groupingBy(by, store2), askedAmounts(filter));
  const found = [];
  yield* rows.visit(
    (columns, indexes) => {
      found.length = 0;
      predicate.select(columns, indexes, 0, found, Number.POSITIVE_INFINITY);
      buckets.add(columns, found);
    },
    (looked) => looked * WORK_A_ROW2
  );
  const answered = [];
  const largest = by === null ? [] : yield* largestOf(buckets);
  const costs = yield* buckets.costsIn(largest);
  for (const [at, bucket] of largest.entries())
    answered.push(buckets.describe(bucket, yield* quantilesOf(costs[at])));
  const total = buckets.total(yield* quantilesOf(buckets.costs));
  return { cursor: rows.cursor, total, buckets: answered };
}
function groupingBy(by, { numbers }) {
  if (by !== "country" && by !== "platform")
    return new AttributeGroups(by.slice("attr.".length), numbers.facts);
  const place = VALUES.indexOf(by);
  return {
    numberOf: ({ values: values2 }, index) => values2[place][index],
    keyOf: (number5) => numbers.text(place, number5)
  };
}
function* largestOf(buckets) {
  let largest = [];
  for (let from = 0; from < buckets.count; from += STEP4) {
    const to = Math.min(from + STEP4, buckets.count);
    for (let bucket = from; bucket < to; bucket += 1) largest.push(bucket);
    largest = largest.sort((a, b) => buckets.compare(a, b)).slice(0, MAX_BUCKETS);
    yield (to - from) * WORK_A_BUCKET;
  }
  return largest;
}
function* quantilesOf(costs) {
  const priced = costs.length;
  if (priced === 0) return { priced, min: null, p25: null, p50: null, p75: null, max: null };
  const found = yield* quantiles(costs, SHARES);
  const [min, p25, p50, p75, max] = found;
  return { priced, min, p25, p50, p75, max };
}

// src/registry/answers/standing.ts
var LEAST = askedAmounts({});
function* standing(store2, changes2, slot) {
  const rows = new RowsAt(store2, changes2);
  const { attributes: attributes2, ids, numbers } = store2;
  const id = ids[slot];
  const own = finite(estimate(attributes2, slot, LEAST, USD));
  if (Number.isNaN(own)) return null;
  const country = numbers.text(COUNTRY, attributes2.values[COUNTRY][slot]);
  const predicate = new Predicate({ country: [country] }, numbers);
  const costs = [];
  const found = [];
  let before = 0;
  yield* rows.visit(
    (columns, indexes) => {
      found.length = 0;
      predicate.select(columns, indexes, 0, found, Number.POSITIVE_INFINITY);
      for (const index of found) {
        const cost = finite(estimate(columns, index, LEAST, USD));
        if (Number.isNaN(cost)) continue;
        costs.push(cost + 0);
        if (cost < own || cost === own && columns.ids[index] < id) before += 1;
      }
    },
    (looked) => looked / 4
  );
  const of = costs.length;
  yield of / 16;
  const [p50] = yield* quantiles(Float64Array.from(costs), [0.5]);
  return { usd_per_month: own, rank: before + 1, of, p50 };
}

// ../mk/bench.ts
var N = Number(process.argv[2]);
var store = new Store();
store.reserve(N);
var changes = new ChangeLog("e", 65536, store.numbers);
var seed = 1;
var rnd = () => {
  seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
  return seed / 2 ** 32;
};
var C = ["SE", "NO", "DE", "US", "FI", "FR", "NL", "PL", "JP", "BR"];
var G = ["RTX 4090", "RTX 3090", "A100", "H100", "L4", "T4"];
var slots = [];
for (let i = 0; i < N; i++) {
  const r = { providerId: `prov-${Math.floor(rnd() * 1e9).toString(16)}-${i}`, ipAddress: "203.0.113.7", country: C[Math.floor(rnd() * 10)], resources: { cpu: 1 + Math.floor(rnd() * 64), memory: 1 + Math.floor(rnd() * 256), storage: 10 + Math.floor(rnd() * 2e3), gpu: Math.floor(rnd() * 3) }, platform: rnd() < 0.5 ? "x86_64" : "arm64", pricing: rnd() < 0.9 ? { usd_per_core_month: rnd() * 10, usd_per_gb_ram_month: rnd() * 3, usd_per_gb_storage_month: rnd() * 0.2 } : null, name: null, paymentsNetwork: null, attributes: { gpu_model: G[Math.floor(rnd() * 6)], cpu_model: "cpu" + Math.floor(rnd() * 100), disk: "ssd", bandwidth_mbps: Math.floor(rnd() * 1e3) }, endpoint: null, ipConfirmed: rnd() < 0.5, createdAt: 0, updatedAt: 0, proof: null, attached: false };
  slots.push(store.add(r, renderHead(r), { updatedAt: 0, expiresAt: 0, deadline: 1e9 }, rnd() < 0.9, false));
}
store.loadIndexes(slots);
var cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1e3;
};
var K = Number(process.argv[3] ?? 40);
function run(name, make) {
  if (process.argv[4] && !name.startsWith(process.argv[4])) return;
  const times = [];
  let worst = 0, work = 0, last;
  for (let k = 0; k < K; k++) {
    const a = cpu();
    let s;
    const g = make();
    work = 0;
    do {
      const b = performance.now();
      s = g.next();
      worst = k > 3 ? Math.max(worst, performance.now() - b) : 0;
      if (!s.done) work += s.value;
    } while (!s.done);
    times.push(cpu() - a);
    last = s.value;
  }
  times.sort((x, y) => x - y);
  console.log(name.padEnd(30), "median", times[K >> 1].toFixed(2), "ms min", times[0].toFixed(2), "worst step", worst.toFixed(2), "work", Math.round(work), "\xB5s/unit", (times[K >> 1] * 1e3 / work).toFixed(3));
  return last;
}
var f6 = { cpu: 8, memory: 16, storage: 100, country: ["NO", "SE"], max_usd_per_month: 60, status: "live" };
var f12 = { ...f6, platform: ["x86_64"], not_country: ["US"], exclude: ["a", "b"], verified: true, payments_network: ["polygon"], max_glm_per_month: 3 };
var fa = { ...f6, min: { gpu: 1 }, attributes: { gpu_model: ["RTX 4090", "A100"], bandwidth_mbps: { min: 100 } } };
run("explain {}", () => explain(store, changes, {}));
run("explain 6", () => explain(store, changes, f6));
run("explain 12", () => explain(store, changes, f12));
run("explain attr", () => explain(store, changes, fa));
run("explain one 6", () => explainProvider(store, changes, f6, store.ids[17]));
run("market {}", () => market(store, changes, {}, null));
run("market {} country", () => market(store, changes, {}, "country"));
run("market {} platform", () => market(store, changes, {}, "platform"));
run("market {} gpu", () => market(store, changes, {}, "attr.gpu_model"));
run("market {} bandwidth", () => market(store, changes, {}, "attr.bandwidth_mbps"));
run("market 6 country", () => market(store, changes, f6, "country"));
run("standing", () => standing(store, changes, store.attributes.prices[0].findIndex((p) => !Number.isNaN(p))));

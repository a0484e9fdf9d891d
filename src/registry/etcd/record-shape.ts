/**
 * Checks that a decoded value has the shape of a record of a provider. Anybody with access to the store can write anything, and a value of
 * another shape would end every hub that applies it.
 * @throws Error naming the first member that is wrong.
 */
export function checkShape(value: unknown, providerId: string): void {
  const record = members(value, 'the record');
  text(record['writeId'], 'writeId');
  flag(record['needsSession'], 'needsSession');
  checkMade(members(record['made'], 'made'));
  if (record['session'] !== null) {
    const session = members(record['session'], 'session');
    checkSession(session, 'session');
    textOrNull(session['from'], 'session.from');
  }
  if (record['identity'] !== null) checkIdentity(members(record['identity'], 'identity'), providerId);
  if (record['advertisement'] !== null)
    checkAdvertisement(members(record['advertisement'], 'advertisement'), providerId);
}

type Members = Readonly<Record<string, unknown>>;

const MADE_BY = ['advertise', 'withdraw', 'bind', 'expire', 'attach', 'detach'];
/** Filters look for these in every advertisement. */
const RESOURCES = ['cpu', 'memory', 'storage'];

function checkMade(made: Members): void {
  if (!MADE_BY.includes(made['by'] as string)) wrong('made.by');
  if (made['by'] === 'attach') number(made['at'], 'made.at');
  if (made['by'] !== 'detach') return;
  checkSession(members(made['session'], 'made.session'), 'made.session');
  if (made['heartbeatAgeMs'] !== undefined) number(made['heartbeatAgeMs'], 'made.heartbeatAgeMs');
}

function checkSession({ hub, token }: Members, name: string): void {
  text(hub, `${name}.hub`);
  number(token, `${name}.token`);
}

function checkIdentity(identity: Members, providerId: string): void {
  if (identity['providerId'] !== providerId) wrong('identity.providerId');
  text(identity['publicKey'], 'identity.publicKey');
  for (const name of ['lastT', 'seenAt']) number(identity[name], `identity.${name}`);
}

function checkAdvertisement(advertisement: Members, providerId: string): void {
  const at = (name: string): string => `advertisement.${name}`;
  if (advertisement['providerId'] !== providerId) wrong(at('providerId'));
  for (const name of ['ipAddress', 'country']) text(advertisement[name], at(name));
  for (const name of ['platform', 'name', 'paymentsNetwork']) textOrNull(advertisement[name], at(name));
  for (const name of ['createdAt', 'updatedAt']) number(advertisement[name], at(name));
  for (const name of ['ipConfirmed', 'attached']) flag(advertisement[name], at(name));
  const resources = members(advertisement['resources'], at('resources'));
  for (const name of RESOURCES) number(resources[name], at(`resources.${name}`));
  for (const [name, amount] of Object.entries(resources)) number(amount, at(`resources.${name}`));
  for (const name of ['pricing', 'attributes'])
    if (advertisement[name] !== null) members(advertisement[name], at(name));
  if (advertisement['endpoint'] !== null)
    number(members(advertisement['endpoint'], at('endpoint'))['port'], at('endpoint.port'));
  if (advertisement['proof'] === null) return;
  const proof = members(advertisement['proof'], at('proof'));
  for (const name of ['publicKey', 'signature']) text(proof[name], at(`proof.${name}`));
  number(proof['t'], at('proof.t'));
  const { payload } = proof;
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) wrong(at('proof.payload'));
}

function members(value: unknown, name: string): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Members)
    : wrong(name);
}

function text(value: unknown, name: string): void {
  if (typeof value !== 'string') wrong(name);
}

function textOrNull(value: unknown, name: string): void {
  if (value !== null) text(value, name);
}

function number(value: unknown, name: string): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) wrong(name);
}

function flag(value: unknown, name: string): void {
  if (typeof value !== 'boolean') wrong(name);
}

function wrong(name: string): never {
  throw new Error(`${name} is missing or wrong`);
}

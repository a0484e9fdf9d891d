/** What the protocol says about one signed text, made by an implementation that is not ours. */
export interface SignatureVector {
  name: string;
  /** Lower-case hex. */
  secret_seed: string;
  public_key: string;
  action: 'advertise' | 'withdraw' | 'session';
  provider_id: string;
  t: number;
  payload: string;
  /** Only where the signature is valid. */
  signed_bytes_hex?: string;
  signature: string;
  valid: boolean;
}

/** Made with libsodium through PyNaCl, not with any code of this project. Ed25519, RFC 8032; hex is lower case. */
export const SIGNATURE_VECTORS: readonly SignatureVector[] = [
  {
    name: 'advertise, the example advertisement under a name',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signed_bytes_hex:
      '766d2d646973636f766572792f76310a6164766572746973650a70726f76696465722d310a313734303036333630303030300a7b2269705f61646472657373223a223139322e3136382e312e313030222c22636f756e747279223a225345222c227265736f7572636573223a7b22637075223a342c226d656d6f7279223a382c2273746f72616765223a34307d7d',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f',
    valid: true,
  },
  {
    name: 'advertise under the key id itself',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signed_bytes_hex:
      '766d2d646973636f766572792f76310a6164766572746973650a343733323538313432303330353161636136323931356136336430356531363134393537373763366234323466666135333236616230653936613261623532630a313734303036333630303030300a7b2269705f61646472657373223a223139322e3136382e312e313030222c22636f756e747279223a225345222c227265736f7572636573223a7b22637075223a342c226d656d6f7279223a382c2273746f72616765223a34307d7d',
    signature:
      '02848237e0b6996b07ff123dcdfda1f021069842533921a905714a0fd91a3276c4d83659a94a5db2cd2de844a2ad263b7d646fdbfdc0341de00b505fb9ef9505',
    valid: true,
  },
  {
    name: 'advertise, white space and non-ASCII text are signed as sent',
    secret_seed: 'bf2327940c3f2d760e8a867a4e86716a9e2a3180073e71369d63b2e45853b631',
    public_key: 'b0c4f5f8e28e715393443de99f098f7ddb75c9d7f35eed55e822b9eda35c73c9',
    action: 'advertise',
    provider_id: 'provider-2',
    t: 1740063600001,
    payload:
      '{ "name": "Göteborg ⚡",\n  "ip_address": "2001:db8::7", "country": "se",\n  "resources": {"storage":40,"cpu":4,"memory":8,"gpu":2} }',
    signed_bytes_hex:
      '766d2d646973636f766572792f76310a6164766572746973650a70726f76696465722d320a313734303036333630303030310a7b20226e616d65223a202247c3b67465626f726720e29aa1222c0a20202269705f61646472657373223a2022323030313a6462383a3a37222c2022636f756e747279223a20227365222c0a2020227265736f7572636573223a207b2273746f72616765223a34302c22637075223a342c226d656d6f7279223a382c22677075223a327d207d',
    signature:
      '8fba26bd5aa570ebfa9e76c093af312685e0670969727906ace5ae059ef5bbd456c8296d3d5a6aeda1706a42b8a40800938809a05068d82661354bc52c6d5202',
    valid: true,
  },
  {
    name: 'withdraw',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'withdraw',
    provider_id: 'provider-1',
    t: 1740063600002,
    payload: '',
    signed_bytes_hex:
      '766d2d646973636f766572792f76310a77697468647261770a70726f76696465722d310a313734303036333630303030320a',
    signature:
      'b06acd7169dd4e6505ff82815e6a05d4717cd66e2fd43120333a9b039f928069c6f3af7091d0e3be98914993d06af4aca3fb41329941f6ce7abbb29d1786f309',
    valid: true,
  },
  {
    name: 'session, a host with a port',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'session',
    provider_id: 'provider-1',
    t: 1740063600003,
    payload: '0000000000000000000000000000000000000000000000000000000000000000\n127.0.0.1:7465',
    signed_bytes_hex:
      '766d2d646973636f766572792f76310a73657373696f6e0a70726f76696465722d310a313734303036333630303030330a303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030300a3132372e302e302e313a37343635',
    signature:
      '6e541ec3b08606ac5b7d322c754b9057eedf58a5c6cf0b29873ad7762a9ca8c564e15f1939665399a9c4c4e6087b1f8402d1ea91e6fa2ded6ecf6924ec48020a',
    valid: true,
  },
  {
    name: 'session, a host on the default port',
    secret_seed: 'bf2327940c3f2d760e8a867a4e86716a9e2a3180073e71369d63b2e45853b631',
    public_key: 'b0c4f5f8e28e715393443de99f098f7ddb75c9d7f35eed55e822b9eda35c73c9',
    action: 'session',
    provider_id: 'b0c4f5f8e28e715393443de99f098f7ddb75c9d7f35eed55e822b9eda35c73c9',
    t: 1740063600004,
    payload: 'abababababababababababababababababababababababababababababababab\nhub.example.org',
    signed_bytes_hex:
      '766d2d646973636f766572792f76310a73657373696f6e0a623063346635663865323865373135333933343433646539396630393866376464623735633964376633356565643535653832326239656461333563373363390a313734303036333630303030340a616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261620a6875622e6578616d706c652e6f7267',
    signature:
      '0ec1f5360dc30fdc70f45d4815000f4035f9f7161bff115ecf3870f8890f581d2d96a310ad07c0b479158dcd58a141422237a2e068422863c4b48a47f5278002',
    valid: true,
  },
  {
    name: 'one byte of the payload differs',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":41}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f',
    valid: false,
  },
  {
    name: 'another time',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600001,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f',
    valid: false,
  },
  {
    name: 'another id',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: 'provider-3',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f',
    valid: false,
  },
  {
    name: 'another action',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'withdraw',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f',
    valid: false,
  },
  {
    name: 'another key',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: 'b0c4f5f8e28e715393443de99f098f7ddb75c9d7f35eed55e822b9eda35c73c9',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab0f',
    valid: false,
  },
  {
    name: 'signature with its last byte changed',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c068ceb78b4af2086e2853ac7ccae679617170f130f99803d6e4989b0b52810ab00',
    valid: false,
  },
  {
    name: 'S not reduced (malleated signature, RFC 8032 5.1.7)',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '47325814203051aca62915a63d05e161495777c6b424ffa5326ab0e96a2ab52c',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      'a37c8bf506da57668a2944c00f5d6feb825d4bce3a68106bc2796fbeb2ec7c0679bf6e11ca83983a5cd7be6f8d61752c170f130f99803d6e4989b0b52810ab1f',
    valid: false,
  },
  {
    name: 'all-zero key and signature',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '0000000000000000000000000000000000000000000000000000000000000000',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      '00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
    valid: false,
  },
  {
    name: 'small-order key (the identity point) with S = 0',
    secret_seed: 'f3dbabdc2f2cec5cd9e052262bd8d0aaad7d96896f3e5da5def6c03e2d777c98',
    public_key: '0100000000000000000000000000000000000000000000000000000000000000',
    action: 'advertise',
    provider_id: 'provider-1',
    t: 1740063600000,
    payload: '{"ip_address":"192.168.1.100","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}',
    signature:
      '01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
    valid: false,
  },
];

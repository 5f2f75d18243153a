/**
 * A second verifier of certificates, which shares nothing with the one in Python: for a reader's own
 * browser, and as the oracle of the tests. docs/audit-format.md is all that it was written from.
 *
 * It is a plain module without imports. `keccak256` and `rlp` (`encode`, `decode`) come in as
 * arguments: `@noble/hashes` and `@ethereumjs/rlp`. It never throws for a certificate, however odd:
 * it says what is wrong. It does not know the contracts' code: `codeHashes` are those of a release,
 * whose terms are the certificate's contracts and `recoveryDelay`. Without that the delay is unproved.
 */

const PROVED = ["Programmes", "Organisations", "Memberships", "Credits"];
const CONTRACTS = [
  ...PROVED, "Authority", "Benefits", "Shares", "Council", "CreditTokens",
].sort();
const FIELDS = [
  "chain_id", "contracts", "controller", "format", "genesis_hash", "header", "org_id", "proofs",
  "recovery_delay", "standings",
];
const STANDING = ["balance", "expires_at", "programme_id", "since", "status", "tier"];
const BFT = "63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";
const FIXED = { 0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8 };

class Refused extends Error {}

/**
 * @param {string} text the certificate's file
 * @param {object} anchor as its file has it
 * @param {{keccak256: Function, rlp: {encode: Function, decode: Function}, codeHashes?: object,
 *   recoveryDelay?: number}} by
 * @returns {{verdict: "correct" | "wrong", problem: string, certificate: object | null}}
 */
export function verifyCertificate(text, anchor, by) {
  try {
    const certificate = read(text);
    const header = readHeader(bytes(certificate.header), by);
    compareAnchor(certificate, header, anchor);
    compareProofs(certificate, header, by);
    return { verdict: "correct", problem: "", certificate };
  } catch (error) {
    return { verdict: "wrong", problem: String(error.message), certificate: null };
  }
}

// --- the file ---

function read(text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Refused("it is not JSON");
  }
  hasKeys(found, FIELDS, "the certificate");
  if (found.format !== 1) throw new Refused("its format is of another release");
  hasKeys(found.contracts, CONTRACTS, "contracts");
  hasKeys(found.proofs, [...PROVED].sort(), "proofs");
  for (const name of PROVED) hasKeys(found.proofs[name], ["account", "slots"], `proof of ${name}`);
  for (const name of ["chain_id", "recovery_delay", "org_id"]) {
    if (!Number.isSafeInteger(found[name]) || found[name] < 0) throw new Refused("a number is none");
  }
  if (!Array.isArray(found.standings)) throw new Refused("standings are no list");
  for (const each of found.standings) {
    hasKeys(each, STANDING, "a standing");
    for (const name of STANDING) {
      if (!Number.isSafeInteger(each[name])) throw new Refused("a number is not exact");
    }
  }
  if (canonical(found) + "\n" !== text) throw new Refused("it is not in its canonical form");
  return found;
}

function hasKeys(value, names, what) {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  const found = isObject ? Object.keys(value).sort() : [];
  if (!isObject || found.length !== names.length || found.some((key, at) => key !== names[at])) {
    throw new Refused(`${what} has other fields`);
  }
}

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const parts = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
    return `{${parts.join(",")}}`;
  }
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value === "string" && /^[\x20-\x7e]*$/.test(value)) return JSON.stringify(value);
  throw new Refused("a value is neither a whole number nor plain text");
}

function bytes(text, length) {
  if (typeof text !== "string" || !/^0x([0-9a-f]{2})*$/.test(text)) {
    throw new Refused("something is not hex as it is written here");
  }
  const found = new Uint8Array(text.length / 2 - 1);
  for (let at = 0; at < found.length; at += 1) {
    found[at] = Number.parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16);
  }
  if (length !== undefined && found.length !== length) throw new Refused("a value is too long or short");
  return found;
}

const hex = (raw) => Array.from(raw, (each) => each.toString(16).padStart(2, "0")).join("");
const number = (raw) => (raw.length === 0 ? 0n : BigInt(`0x${hex(raw)}`));
const isBytes = (item) => item instanceof Uint8Array;

// --- the header ---

function decode(raw, by) {
  let found;
  try {
    found = by.rlp.decode(raw);
  } catch {
    throw new Refused("something is not RLP");
  }
  if (hex(by.rlp.encode(found)) !== hex(raw)) throw new Refused("RLP is not in its shortest form");
  return found;
}

function readHeader(raw, by) {
  const fields = decode(raw, by);
  if (!Array.isArray(fields) || fields.length < 15 || !fields.every(isBytes)) {
    throw new Refused("a header is a list of at least fifteen strings");
  }
  for (const [place, size] of Object.entries(FIXED)) {
    if (fields[place].length !== size) throw new Refused("a field of the header has an odd length");
  }
  for (const place of [7, 8, 9, 10, 11]) {
    if (fields[place][0] === 0) throw new Refused("a number has leading zeros");
  }
  let hashed = raw;
  if (hex(fields[13]) === BFT) {
    const parts = [...fields];
    parts[12] = withoutSeals(fields[12], by);
    hashed = by.rlp.encode(parts);
  }
  return { hash: hex(by.keccak256(hashed)), stateRoot: fields[3], number: Number(number(fields[8])) };
}

/** Extra data as QBFT and IBFT 2.0 hash a block: without the seals and the round. */
function withoutSeals(extra, by) {
  let items;
  try {
    items = decode(extra, by);
  } catch {
    return extra;
  }
  if (!Array.isArray(items) || items.length !== 5) return extra;
  const round = items[3];
  const isIbft2 = isBytes(round) && round.length === 4 && round[0] === 0;
  const kept = items.slice(0, 3);
  return by.rlp.encode(isIbft2 ? kept : [...kept, new Uint8Array(), []]);
}

function compareAnchor(certificate, header, anchor) {
  const lower = Object.fromEntries(
    Object.entries(anchor.contracts).map(([name, address]) => [name, address.toLowerCase()]),
  );
  const same =
    anchor.chain_id === certificate.chain_id &&
    anchor.genesis_hash.toLowerCase() === certificate.genesis_hash &&
    canonical(lower) === canonical(certificate.contracts);
  if (!same) throw new Refused("it is of another ledger than the anchor");
  if (anchor.block_number !== header.number || anchor.block_hash.toLowerCase() !== `0x${header.hash}`) {
    throw new Refused("its block is not the anchor's");
  }
}

// --- the state ---

function compareProofs(certificate, header, by) {
  const { org_id: org, standings, proofs, contracts } = certificate;
  if (by.recoveryDelay !== undefined && certificate.recovery_delay !== by.recoveryDelay) {
    throw new Refused("its recovery delay is not that of the contracts' code");
  }
  if (!Number.isInteger(org) || org < 1 || org >= 2 ** 32) throw new Refused("there is no such organisation");
  const slots = {
    Programmes: [word(0)],
    Organisations: [nested(by, 4, org)],
    Memberships: standings.map((_, place) => nested(by, 9, place + 1, org)),
    Credits: standings.map((_, place) => nested(by, 3, place + 1, Math.floor(org / 4))),
  };
  const words = {};
  for (const name of PROVED) {
    const account = proveAccount(header.stateRoot, bytes(contracts[name], 20), proofs[name].account, by);
    if (by.codeHashes && by.codeHashes[name] !== `0x${hex(account.codeHash)}`) {
      throw new Refused(`the code of ${name} is not the release's`);
    }
    if (!Array.isArray(proofs[name].slots) || proofs[name].slots.length !== slots[name].length) {
      throw new Refused("a slot's proof is missing or left over");
    }
    words[name] = slots[name].map((slot, place) =>
      proveSlot(account.storageRoot, slot, proofs[name].slots[place], by),
    );
  }
  if (Number(words.Programmes[0] & 0xffffn) !== standings.length) {
    throw new Refused("there are more or fewer programmes");
  }
  const controller = (words.Organisations[0] & (2n ** 160n - 1n)).toString(16).padStart(40, "0");
  if (certificate.controller !== `0x${controller}`) throw new Refused("another controller is proved");
  standings.forEach((said, place) => {
    const packed = words.Memberships[place];
    const balance = BigInt.asIntN(64, words.Credits[place] >> BigInt(64 * (org % 4)));
    const proved = {
      programme_id: place + 1,
      balance: Number(balance),
      status: Number(packed & 0xffn),
      tier: Number((packed >> 8n) & 0xffn),
      since: Number((packed >> 16n) & (2n ** 40n - 1n)),
      expires_at: Number((packed >> 56n) & (2n ** 40n - 1n)),
    };
    if (canonical(said) !== canonical(proved)) throw new Refused("another standing is proved");
  });
}

function word(value) {
  return bytes(`0x${value.toString(16).padStart(64, "0")}`);
}

function nested(by, slot, ...keys) {
  return keys.reduce((at, key) => by.keccak256(new Uint8Array([...word(key), ...at])), word(slot));
}

function proveAccount(root, address, nodes, by) {
  const value = prove(root, by.keccak256(address), nodes, by);
  if (value === null) throw new Refused("there is no such contract");
  const fields = decode(value, by);
  const right = Array.isArray(fields) && fields.length === 4 && fields.every(isBytes);
  if (!right || fields[2].length !== 32 || fields[3].length !== 32) throw new Refused("an account is odd");
  if (fields[0][0] === 0 || fields[1][0] === 0) throw new Refused("a number has leading zeros");
  return { storageRoot: fields[2], codeHash: fields[3] };
}

function proveSlot(root, slot, nodes, by) {
  const value = prove(root, by.keccak256(slot), nodes, by);
  if (value === null) return 0n;
  const found = decode(value, by);
  if (!isBytes(found) || found.length < 1 || found.length > 32 || found[0] === 0) {
    throw new Refused("a slot holds 1 to 32 bytes without leading zeros");
  }
  return number(found);
}

/** The value under a key (32 bytes), null where the nodes prove that there is none. */
function prove(root, key, proof, by) {
  if (!Array.isArray(proof)) throw new Refused("a proof is a list of nodes");
  const nodes = proof.map((each) => bytes(each));
  const empty = hex(by.keccak256(by.rlp.encode(new Uint8Array())));
  if (hex(root) === empty && (nodes.length === 0 || (nodes.length === 1 && hex(nodes[0]) === "80"))) {
    return null;
  }
  const path = hex(key);
  let node = fetch(root, nodes, by, true);
  let at = 0;
  let value = null;
  for (let afterExtension = false; ; ) {
    let child;
    if (node.length === 17) {
      if (at >= path.length || !isBytes(node[16]) || node[16].length) throw new Refused("a branch is odd");
      const children = node.slice(0, 16).filter((each) => !isBytes(each) || each.length > 0);
      if (children.length < 2) throw new Refused("a branch has fewer than two children");
      for (const each of children) checkReference(each, by);
      child = node[Number.parseInt(path[at], 16)];
      at += 1;
      afterExtension = false;
      if (isBytes(child) && child.length === 0) break;
    } else if (node.length === 2) {
      if (afterExtension) throw new Refused("an extension leads to what is not a branch");
      const [isLeaf, part] = readPath(node[0]);
      const rest = path.slice(at);
      if (isLeaf) {
        if (part.length !== rest.length) throw new Refused("a leaf ends where no key does");
        if (!isBytes(node[1]) || node[1].length === 0) throw new Refused("a leaf holds no value");
        if (part === rest) value = node[1];
        break;
      }
      if (part.length >= rest.length) throw new Refused("a path is longer than its key");
      checkReference(node[1], by);
      if (!rest.startsWith(part)) break;
      child = node[1];
      at += part.length;
      afterExtension = true;
    } else {
      throw new Refused("a node has neither 2 nor 17 items");
    }
    checkReference(child, by);
    node = Array.isArray(child) ? child : fetch(child, nodes, by, false);
  }
  if (nodes.length) throw new Refused("nodes are left over");
  return value;
}

function fetch(expected, nodes, by, isRoot) {
  const raw = nodes.shift();
  if (raw === undefined) throw new Refused("a node is missing");
  if (hex(by.keccak256(raw)) !== hex(expected)) throw new Refused("a node is not the one that is named");
  if (raw.length < 32 && !isRoot) throw new Refused("a node should stand in its parent");
  const node = decode(raw, by);
  if (!Array.isArray(node)) throw new Refused("a node is not a list");
  return node;
}

function checkReference(child, by) {
  const right = Array.isArray(child) ? by.rlp.encode(child).length < 32 : child.length === 32;
  if (!right) throw new Refused("a node is named as it cannot be");
}

function readPath(item) {
  if (!isBytes(item) || item.length === 0) throw new Refused("a path is odd");
  const text = hex(item);
  const flag = Number.parseInt(text[0], 16);
  if (flag > 3 || (flag % 2 === 0 && text[1] !== "0")) throw new Refused("a path is odd");
  const part = text.slice(flag % 2 === 0 ? 2 : 1);
  if (part.length === 0 && flag < 2) throw new Refused("an extension leads nowhere");
  return [flag >= 2, part];
}

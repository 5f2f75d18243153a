// Keccak-256 and RLP, for certificates that are checked in the reader's own browser. No library and
// no other host: what a page loads is what this server's source has. A test holds both against
// `@noble/hashes` and `@ethereumjs/rlp`. Slow beside those, and a certificate needs little.

const MASK = (1n << 64n) - 1n;
const RATE = 136; // bytes taken in at once: 1600 bits less twice 256
const DEEPEST = 16;

// The constants of Keccak-f[1600] by their own rules (FIPS 202, 3.2.5 and 3.2.2).

const ROUNDS = (() => {
  const found = [];
  let bits = 1;
  for (let round = 0; round < 24; round += 1) {
    let constant = 0n;
    for (let place = 0; place < 7; place += 1) {
      if (bits & 1) constant |= 1n << ((1n << BigInt(place)) - 1n);
      bits = bits & 0x80 ? (bits << 1) ^ 0x171 : bits << 1;
    }
    found.push(constant);
  }
  return found;
})();

/** From which lane each lane comes, and by how much it is turned. */
const MOVES = (() => {
  const found = [];
  let [x, y] = [1, 0];
  for (let step = 0; step < 24; step += 1) {
    const turned = BigInt((((step + 1) * (step + 2)) / 2) % 64);
    const to = [y, (2 * x + 3 * y) % 5];
    found.push([x + 5 * y, to[0] + 5 * to[1], turned]);
    [x, y] = to;
  }
  return found;
})();

const turn = (lane, by) => (by ? ((lane << by) | (lane >> (64n - by))) & MASK : lane);

function permute(lanes) {
  for (const constant of ROUNDS) {
    const sums = [0, 1, 2, 3, 4].map(
      (x) => lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20],
    );
    for (let at = 0; at < 25; at += 1) lanes[at] ^= sums[(at + 4) % 5] ^ turn(sums[(at + 1) % 5], 1n);
    const moved = [...lanes];
    for (const [from, to, by] of MOVES) moved[to] = turn(lanes[from], by);
    for (let row = 0; row < 25; row += 5) {
      for (let x = 0; x < 5; x += 1) {
        const rest = (MASK ^ moved[row + ((x + 1) % 5)]) & moved[row + ((x + 2) % 5)];
        lanes[row + x] = moved[row + x] ^ rest;
      }
    }
    lanes[0] ^= constant;
  }
}

/** @param {Uint8Array} input @returns {Uint8Array} 32 bytes; the padding is Keccak's, not SHA-3's. */
export function keccak256(input) {
  const padded = new Uint8Array(Math.ceil((input.length + 1) / RATE) * RATE);
  padded.set(input);
  padded[input.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const words = new DataView(padded.buffer);
  const lanes = Array(25).fill(0n);
  for (let at = 0; at < padded.length; at += RATE) {
    for (let lane = 0; lane < RATE / 8; lane += 1) lanes[lane] ^= words.getBigUint64(at + 8 * lane, true);
    permute(lanes);
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let lane = 0; lane < 4; lane += 1) out.setBigUint64(8 * lane, lanes[lane], true);
  return digest;
}

const join = (parts) => {
  const found = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
};

function head(length, base) {
  if (length <= 55) return Uint8Array.of(base + length);
  const digits = length.toString(16);
  const size = Uint8Array.from((digits.length % 2 ? `0${digits}` : digits).match(/../g), (each) =>
    Number.parseInt(each, 16),
  );
  return Uint8Array.of(base + 55 + size.length, ...size);
}

function encode(item) {
  if (Array.isArray(item)) {
    const parts = item.map(encode);
    return join([head(parts.reduce((sum, part) => sum + part.length, 0), 0xc0), ...parts]);
  }
  return item.length === 1 && item[0] < 0x80 ? item : join([head(item.length, 0x80), item]);
}

function decodeAt(raw, at, stop, depth) {
  if (at >= stop) throw new Error("an item is missing");
  const first = raw[at];
  if (first < 0x80) return [raw.slice(at, at + 1), at + 1];
  const base = first < 0xc0 ? 0x80 : 0xc0;
  let [length, start] = [first - base, at + 1];
  if (length > 55) {
    const size = length - 55;
    if (size > 4 || start + size > stop) throw new Error("a length is odd");
    length = raw.slice(start, start + size).reduce((sum, each) => sum * 256 + each, 0);
    start += size;
  }
  const end = start + length;
  if (end > stop) throw new Error("an item is cut short");
  if (base === 0x80) return [raw.slice(start, end), end];
  if (depth === 0) throw new Error("lists are nested too deep");
  const items = [];
  while (start < end) {
    const [item, next] = decodeAt(raw, start, end, depth - 1);
    items.push(item);
    start = next;
  }
  return [items, end];
}

/** Of what it decodes, whoever needs the one right writing encodes it again and compares. */
function decode(raw) {
  const [item, end] = decodeAt(raw, 0, raw.length, DEEPEST);
  if (end !== raw.length) throw new Error("bytes are left over");
  return item;
}

export const rlp = { encode, decode };

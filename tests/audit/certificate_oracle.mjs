/**
 * Reads lines of JSON, `{"text": …, "anchor": …, "codeHashes": …, "recoveryDelay": …}`, and answers
 * each with a line: what the verifier in JavaScript says, and whether `@ethereumjs/mpt` finds the
 * same values. With `"browser": true` it must say the same by the hashes that browsers get of us.
 */
import { createInterface } from "node:readline";

import { verifyMerkleProof } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { verifyCertificate } from "../../api/console/static/certificate.mjs";
import * as ours from "../../api/console/static/hashes.mjs";

const by = { keccak256: keccak_256, rlp: RLP };

const raw = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));

/** Whether the library finds the accounts that the certificate's proofs are of. */
async function isSeenByTheLibrary(certificate) {
  const stateRoot = RLP.decode(raw(certificate.header))[3];
  for (const [name, proof] of Object.entries(certificate.proofs)) {
    const key = keccak_256(raw(certificate.contracts[name]));
    const found = await verifyMerkleProof(key, proof.account.map(raw), { root: stateRoot });
    if (!found || RLP.decode(found).length !== 4) return false;
  }
  return true;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { text, anchor, browser, ...release } = JSON.parse(line);
  const found = verifyCertificate(text, anchor, { ...by, ...release });
  const library = found.certificate ? await isSeenByTheLibrary(found.certificate) : null;
  const { verdict, problem } = found;
  if (browser) {
    const again = verifyCertificate(text, anchor, { ...ours, ...release });
    if (again.verdict !== verdict || again.problem !== problem) throw new Error("browsers see it otherwise");
  }
  process.stdout.write(`${JSON.stringify({ verdict, problem, library })}\n`);
}

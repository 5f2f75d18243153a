#!/usr/bin/env node
// Makes npm's WebAssembly solc answer like the native program, for py-solc-x and forge: both run an
// executable with --version, or with --standard-json and a JSON document on standard input. The
// package's own solcjs reads its input by the file's size, which is zero for a pipe.
// Sources come in the document itself; nothing else is read.
"use strict";

const solc = require("solc");

function version() {
  process.stdout.write("solc, the solidity compiler commandline interface\n");
  process.stdout.write(`Version: ${solc.version()}\n`);
}

function compile() {
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk));
  process.stdin.on("end", () => {
    process.stdout.write(solc.compile(Buffer.concat(chunks).toString("utf8")));
  });
}

const args = process.argv.slice(2);
if (args.includes("--version")) {
  version();
} else if (args.includes("--standard-json")) {
  compile();
} else {
  process.stderr.write("solc.cjs answers --version and --standard-json only\n");
  process.exitCode = 2;
}

// A compiler that stays: reads standard JSON, a line each, and answers each with a line.
// Loading the WebAssembly compiler takes longer than compiling a small contract.
"use strict";

const readline = require("readline");
const solc = require("solc");

const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on("line", (line) => {
  process.stdout.write(`${JSON.stringify(JSON.parse(solc.compile(line)))}\n`);
});

"""The audit that needs no trust in us: bundles of proofs, and a verifier that needs nothing else.

`exporting` asks a node and writes a bundle. Everything else is the verifier: no network, no
database, none of the mirror's code. docs/audit-format.md describes the bytes.
"""

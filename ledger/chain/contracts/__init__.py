"""One typed wrapper for each contract: its calldata, and reads of its state at a named block.

Import the contract's module: `from ledger.chain.contracts import credits`, then
`credits.encode_award(...)` and `credits.Credits(node, address).balance_of(..., at=block)`.
"""

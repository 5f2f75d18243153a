"""The ledger replayed: every line of every journal, in the order of the chain, against the rules.

Each module keeps what one contract has to remember, written anew from the contracts' interfaces and
not from the mirror. A line that breaks a rule is objected to and then taken into account all the
same, as the chain did, so that one wrong line does not hide the next.
"""

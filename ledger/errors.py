"""Every error that Moonlake knows, in one tree.

LedgerError
├── InputRefused            what was asked cannot be meant: wrong value, unknown name, bad file
│   ├── InvalidValue
│   ├── InvalidFile
│   ├── CursorInvalid
│   ├── DemonstrationRefused
│   ├── EvidenceMissing
│   └── NotFound
├── ContractRefused         a contract's own error, by name and values
├── SetupProblem            the machine or its settings lack something
│   ├── InvalidSetting
│   ├── ToolMissing
│   ├── PortInUse
│   ├── FolderUnusable
│   ├── DiskFull
│   ├── DatabaseUnusable
│   ├── DatabaseDamaged
│   ├── AlreadyRunning
│   ├── NotDeployed
│   ├── DeploymentBegun
│   ├── DeploymentUnreadable
│   ├── DeployerBusy
│   ├── KeyMissing
│   ├── KeyExists
│   ├── KeyLocked
│   ├── PasswordUnusable
│   ├── SignerProblem       a key that does not sign, or must not
│   │   ├── SignerUnreachable
│   │   ├── SignerRefused
│   │   ├── SignerAnswerInvalid
│   │   ├── DevnetKeyRefused
│   │   └── PolicyRefused
│   ├── CompilationFailed
│   └── ArtifactsStale
├── NodeProblem             a node does not answer, or answers what cannot be true
│   ├── NodeUnreachable
│   ├── NodeRefused
│   ├── NodeAnswerInvalid
│   ├── NodeAnswerUnreadable
│   ├── NodeAnswerTooLarge
│   ├── NodeLacksBlock
│   ├── NodeLagging
│   ├── NodesDisagree
│   └── NodeAlone
├── ProofProblem            what was given does not follow from the chain of headers
│   └── NotProved
├── ChainProblem            the chain is not the one that this ledger was deployed on
│   ├── ChainMismatch
│   ├── DataOfOtherChain
│   ├── OtherRelease
│   ├── CodeMismatch
│   ├── ContractMissing
│   ├── WiringMismatch
│   ├── DevnetFailed
│   └── DevnetStateUnusable
├── MirrorProblem           the mirror cannot go on, or cannot answer
│   ├── MirrorHalted
│   ├── MirrorEmpty
│   ├── LedgerPreparing
│   ├── MirrorStale
│   ├── MirrorCannotWrite
│   ├── ReorganisationTooDeep
│   ├── JournalBroken
│   ├── EventUnknown
│   ├── MirrorDamaged
│   ├── FactsDamaged
│   ├── MirrorOfAnother
│   └── SchemaMismatch
├── OfficeProblem           what is kept beside the chain is not as it was kept
│   └── EvidenceDamaged
├── Unforeseen              a fault of Moonlake's own, and where its traceback is
└── SendingProblem          a transaction's fate
    ├── OperationConflict
    ├── OperationOfAnother
    ├── OperationCancelled
    ├── OperationSettled
    ├── OperationFailed
    ├── KeyHalted
    ├── FundsTooLow
    ├── FeesTooHigh
    ├── TransactionTooLarge
    ├── NonceTaken
    └── ReceiptOverdue

An error carries its values as keyword arguments; its sentence is made from them, so that the
same facts reach a person, a log line and a JSON answer. A `code` never changes once released.
Values that are words for a sentence and no facts are named in `phrases`; JSON leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class LedgerError(Exception):
    """Root of the tree; raised only through its subclasses.

    Parameters are the values that `sentence` and `advice` name. `str(error)` is the sentence,
    `error.advice` what to do next.
    """

    code: ClassVar[str] = "ledger"
    sentence: ClassVar[str] = ""
    next_step: ClassVar[str] = ""
    phrases: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **values: Any) -> None:
        self.values: Mapping[str, Any] = values
        super().__init__(self.sentence.format(**values))

    @property
    def advice(self) -> str:
        """What the reader can do next; empty where nothing can be done."""
        return self.next_step.format(**self.values)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The values, without those that are parts of its sentences."""
        return {key: value for key, value in self.values.items() if key not in self.phrases}


class InputRefused(LedgerError):
    """What was asked cannot be meant."""


class InvalidValue(InputRefused):
    code = "input.invalid_value"
    sentence = "{field}: {value!r} is not {expected}."
    next_step = "Correct {field} and try again."


class InvalidFile(InputRefused):
    code = "input.invalid_file"
    sentence = "{path}, line {line}: {problem}."
    next_step = "Correct the file and run the same command again; nothing of it was used."


class CursorInvalid(InputRefused):
    code = "input.cursor_invalid"
    sentence = "The cursor was not given for this question."
    next_step = "Follow the `next` link as it was given, or start again without a cursor."


class NotFound(InputRefused):
    code = "input.not_found"
    sentence = "There is no {what} {key!r}."
    next_step = "Correct the {what} and try again; the lists show what there is."


class DemonstrationRefused(InputRefused):
    code = "input.demonstration_refused"
    sentence = "The demonstration cannot be added to this ledger: {problem}."
    next_step = (
        "Name a new data folder with MOONLAKE_HOME, or set this ledger aside with "
        "`moonlake up --demo --fresh`."
    )


class EvidenceMissing(InputRefused):
    """The contract takes an entry without evidence; whoever posts one has to say so."""

    code = "input.evidence_missing"
    sentence = "No evidence is named, and none can ever be added to an entry that has none."
    next_step = (
        "Name what shows why with --evidence (a file, or the commitment to one), or say "
        "--no-evidence."
    )


class ContractRefused(LedgerError):
    """A contract's own error.

    `name` is its Solidity name, `arguments` its named values as a reader and JSON can hold them,
    `meaning` one sentence that says what they amount to, `hint` what to do next.
    """

    code = "contract.refused"
    sentence = "The contract refused: {name}({shown}).{told}"
    next_step = "{hint}"
    phrases = frozenset({"shown", "meaning", "told", "hint"})

    def __init__(
        self, *, name: str, arguments: Mapping[str, Any], meaning: str = "", hint: str = ""
    ) -> None:
        shown = ", ".join(f"{key}={value}" for key, value in arguments.items())
        super().__init__(
            name=name,
            arguments=dict(arguments),
            shown=shown,
            meaning=meaning,
            told=f" {meaning}" if meaning else "",
            hint=hint,
        )


class SetupProblem(LedgerError):
    """The machine or its settings lack something."""


class InvalidSetting(SetupProblem):
    code = "setup.invalid_setting"
    sentence = "Setting {setting}: {problem}."
    next_step = (
        "Correct it in the environment, in .env or on the command line; "
        "the README lists all settings."
    )


class ToolMissing(SetupProblem):
    code = "setup.tool_missing"
    sentence = "{tool} was not found."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class PortInUse(SetupProblem):
    code = "setup.port_in_use"
    sentence = "Port {port} on {host} is in use by {owner}."
    next_step = "Stop that program, or choose another port with {setting}."

    def __init__(
        self, *, port: int, host: str, setting: str, owner: str = "another program"
    ) -> None:
        super().__init__(port=port, host=host, setting=setting, owner=owner)


class FolderUnusable(SetupProblem):
    code = "setup.folder_unusable"
    sentence = "The folder {path} cannot be used: {problem}."
    next_step = "Make it writable, or choose another with MOONLAKE_HOME."


class DiskFull(SetupProblem):
    """There is no room to write to; `what` is a folder, a file or a database."""

    code = "setup.disk_full"
    sentence = "The disk is full: {what} cannot be written."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})

    def __init__(
        self,
        *,
        what: object,
        remedy: str = "Free some space there, then run the same command again.",
    ) -> None:
        super().__init__(what=what, remedy=remedy)


class DatabaseUnusable(SetupProblem):
    code = "setup.database_unusable"
    sentence = "The database {url} cannot be used: {problem}."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})

    def __init__(
        self,
        *,
        url: str,
        problem: str,
        remedy: str = "Start it or correct MOONLAKE_DATABASE_URL, then run the same command again.",
    ) -> None:
        super().__init__(url=url, problem=problem, remedy=remedy)


class DatabaseDamaged(SetupProblem):
    """A SQLite file that is cut, overwritten, or was never one."""

    code = "setup.database_damaged"
    sentence = "The database {path} is damaged: {problem}."
    next_step = (
        "Stop Moonlake and put the file back from a backup. Without one, move it and the files "
        "beside it ({name}-wal, {name}-shm) away and run `moonlake mirror rebuild`: all that the "
        "chain proves comes back; names, documents' titles and the record of operations do not."
    )


class AlreadyRunning(SetupProblem):
    code = "setup.already_running"
    sentence = "{what} is already running on this data folder (process {pid})."
    next_step = "Use that one, or stop it first."


class NotDeployed(SetupProblem):
    code = "setup.not_deployed"
    sentence = "No deployment file at {path}."
    next_step = "Run `moonlake deploy`, or name the file with MOONLAKE_DEPLOYMENT."


class DeploymentBegun(SetupProblem):
    code = "setup.deployment_begun"
    sentence = "A deployment was begun here with another {what}: {found}, not {asked}."
    next_step = "Run it again with the same values, or move {path} away to begin another."


class DeploymentUnreadable(SetupProblem):
    code = "setup.deployment_unreadable"
    sentence = "The deployment file {path}, line {line}: {problem}."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class DeployerBusy(SetupProblem):
    """Its nonces are used by others, so that no address can be foretold."""

    code = "setup.deployer_busy"
    sentence = "The account {address} sends other transactions while it deploys."
    next_step = (
        "Stop whatever else signs with this key, or deploy with a key of its own; then run "
        "`moonlake deploy` again: it goes on where it stopped."
    )


class KeyMissing(SetupProblem):
    code = "setup.key_missing"
    sentence = "There is no key {key!r} in {place}."
    next_step = "Create it with `moonlake keys create {key}`, or name another with --as."


class KeyExists(SetupProblem):
    code = "setup.key_exists"
    sentence = "There is a key {key!r} in {place} already; it was not touched."
    next_step = "Use it, or choose another name."


class KeyLocked(SetupProblem):
    code = "setup.key_locked"
    sentence = "The key {key!r} cannot be opened: {problem}."
    next_step = "Check the password (--password-file, MOONLAKE_KEY_PASSWORD_FILE)."


class PasswordUnusable(SetupProblem):
    """The password that opens the keystores of the data folder is not to be had."""

    code = "setup.password_unusable"
    sentence = "The keys' password cannot be read: {problem}."
    next_step = (
        "Name a file whose first line is the password with --password-file "
        "(MOONLAKE_KEY_PASSWORD_FILE), set MOONLAKE_KEY_PASSWORD, or run the command in a "
        "terminal, where it asks."
    )


class SignerProblem(SetupProblem):
    """A key does not sign, or must not."""


class SignerUnreachable(SignerProblem):
    code = "signer.unreachable"
    sentence = "The remote signer at {url} does not answer: {problem}."
    next_step = (
        "Start it, or correct its address in MOONLAKE_SIGNERS; nothing was signed, and the same "
        "command can be run again."
    )


class SignerRefused(SignerProblem):
    code = "signer.refused"
    sentence = "The remote signer at {url} refused {method} for {address}: {message}."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class SignerAnswerInvalid(SignerProblem):
    """It signed something else than it was asked to, or is no signer; nothing of it was used."""

    code = "signer.answer_invalid"
    sentence = "The remote signer at {url} gave what cannot be used for {address}: {problem}."
    next_step = (
        "Nothing of it was sent. See that MOONLAKE_SIGNERS names the right signer and that it "
        "signs for the right chain; until that is clear, do not trust it."
    )


class DevnetKeyRefused(SignerProblem):
    code = "signer.devnet_key_refused"
    sentence = (
        "The key {key!r} of MOONLAKE_DEVNET_KEYS signs for the devnet (chain {devnet}) alone, and "
        "this is chain {chain_id}."
    )
    next_step = (
        "Keep a key for this chain with `moonlake keys create {key}` or behind a remote signer, "
        "and take it out of MOONLAKE_DEVNET_KEYS."
    )


class PolicyRefused(SignerProblem):
    """`call` says what was to be signed: `Credits.award`, or an address where no name is known."""

    code = "signer.policy_refused"
    sentence = "The policy of the key {key!r} does not allow {call}; nothing was signed."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class CompilationFailed(SetupProblem):
    code = "setup.compilation_failed"
    sentence = "The contracts do not compile: {problem}."
    next_step = "Correct the source named there, and run `moonlake contracts build` again."


class ArtifactsStale(SetupProblem):
    code = "setup.artifacts_stale"
    sentence = "The committed artifacts are not what the sources give: {names}."
    next_step = "Run `moonlake contracts build` and commit ledger/artifacts."


class NodeProblem(LedgerError):
    """A node does not answer, or answers what cannot be true."""


class NodeUnreachable(NodeProblem):
    code = "node.unreachable"
    sentence = "The node at {url} does not answer: {problem}."
    next_step = (
        "Start the node (`moonlake devnet start` for the devnet) or correct MOONLAKE_RPC_URL."
    )


class NodeRefused(NodeProblem):
    code = "node.refused"
    sentence = "The node at {url} refused {method}: {message} (code {node_code})."
    next_step = "Check that the node serves this method."


class NodeAnswerInvalid(NodeProblem):
    """The answer contradicts the chain of headers; nothing of it was used."""

    code = "node.answer_invalid"
    sentence = "Block {block}: the node at {url} gave an answer that cannot be true: {problem}."
    next_step = "Ask another node: add one to MOONLAKE_RPC_URL."


class NodeAnswerUnreadable(NodeProblem):
    code = "node.answer_unreadable"
    sentence = "The node at {url} answered {method} with what cannot be read: {problem}."
    next_step = "Check that the address is that of an Ethereum node, or ask another node."


class NodeAnswerTooLarge(NodeProblem):
    code = "node.answer_too_large"
    sentence = "The answer of the node at {url} to {method} is larger than {limit}."
    next_step = "Ask for less at a time."


class NodeLacksBlock(NodeProblem):
    """`block` is a number, or a hash in hex."""

    code = "node.lacks_block"
    sentence = "The node at {url} has nothing for block {block} ({method})."
    next_step = "Wait until it has caught up, or ask another node."


class NodeLagging(NodeProblem):
    code = "node.lagging"
    sentence = "The node at {url} is at block {head}, behind block {wanted}."
    next_step = "Wait until it has caught up, or add another node to MOONLAKE_RPC_URL."


class NodesDisagree(NodeProblem):
    """Each of them is right by itself; `answers` says which node has which block there."""

    code = "node.disagreement"
    sentence = "Block {block}: the nodes do not agree: {answers}."
    next_step = (
        "Nothing is taken until most of them agree. If it lasts, one of them follows another "
        "chain: find out which and remove it from MOONLAKE_RPC_URL; of three nodes, the two that "
        "agree are followed."
    )


class NodeAlone(NodeProblem):
    code = "node.alone"
    sentence = "Only the node at {url} has block {block} so far."
    next_step = "Wait until another node has it too."


class ProofProblem(LedgerError):
    """What was given does not follow from the chain of headers, whoever gave it."""


class NotProved(ProofProblem):
    code = "proof.not_proved"
    sentence = "Block {block}: {problem}."
    next_step = "Do not use what was given; ask another node."


class ChainProblem(LedgerError):
    """The chain is not the one that this ledger was deployed on."""


class ChainMismatch(ChainProblem):
    code = "chain.mismatch"
    sentence = "This is another chain: {what} is {found}, the ledger was deployed on {expected}."
    next_step = "Point MOONLAKE_RPC_URL at the right chain, or use another MOONLAKE_HOME."


class DataOfOtherChain(ChainProblem):
    """The devnet was begun anew beside data of the chain before it."""

    code = "chain.data_of_other_chain"
    sentence = "The devnet's chain began anew, but {what} is of the chain before it."
    next_step = (
        "`moonlake up --fresh` (`moonlake up --demo --fresh` for the demonstration) moves the old "
        "data aside and begins with an empty ledger; nothing is deleted."
    )


class OtherRelease(ChainProblem):
    code = "chain.other_release"
    sentence = "The contracts on the devnet are those of another release: {detail}"
    next_step = (
        "Use that release, or let `moonlake up --fresh` move its data aside and begin with an "
        "empty ledger; nothing is deleted."
    )


class CodeMismatch(ChainProblem):
    code = "chain.code_mismatch"
    sentence = "{contract} at {address} does not carry the code of this build."
    next_step = "Use the release that deployed it, or name the right file with MOONLAKE_DEPLOYMENT."


class ContractMissing(ChainProblem):
    code = "chain.contract_missing"
    sentence = (
        "There is no code at {address}, where {contract} was deployed in block {block}; "
        "the node is at block {head}."
    )
    next_step = (
        "If the node is behind, wait; if the devnet lost its state, run `moonlake devnet reset` "
        "and deploy again."
    )


class WiringMismatch(ChainProblem):
    code = "chain.wiring_mismatch"
    sentence = "The contracts do not belong together: {what} is {found}, not {expected}."
    next_step = "Name the right deployment file with MOONLAKE_DEPLOYMENT."


class DevnetFailed(ChainProblem):
    code = "chain.devnet_failed"
    sentence = "The devnet did not start: {problem}."
    next_step = "Read {log} for what anvil said."


class DevnetStateUnusable(ChainProblem):
    code = "chain.devnet_state_unusable"
    sentence = "No saved state of the devnet in {folder} can be used: {problem}."
    next_step = "Run `moonlake devnet reset`: it sets the files aside and a new chain can begin."


class MirrorProblem(LedgerError):
    """The mirror cannot go on, or cannot answer."""


class MirrorHalted(MirrorProblem):
    code = "mirror.halted"
    sentence = "The mirror halted at block {block}: {reason}"
    next_step = "What was mirrored stays served. Mend the cause and start the mirror again."


class MirrorEmpty(MirrorProblem):
    code = "mirror.empty"
    sentence = "Nothing is mirrored yet."
    next_step = "Run `moonlake mirror sync`."


class LedgerPreparing(MirrorProblem):
    """What is mirrored is true; whoever started the server has more to record first."""

    code = "mirror.preparing"
    sentence = "The ledger is being prepared, and not everything is recorded yet."
    next_step = "Come back in a moment; `moonlake up` says when it is ready."


class MirrorStale(MirrorProblem):
    code = "mirror.stale"
    sentence = "The mirror has not looked at the chain for {seconds} s."
    next_step = "Start it again with `moonlake mirror follow`, and see whether the node answers."


class MirrorCannotWrite(MirrorProblem):
    code = "mirror.cannot_write"
    sentence = "The mirror cannot write to its database, which stays at block {block}."
    next_step = (
        "Free some space where the database is, or see why it cannot be written; "
        "the mirror then goes on by itself."
    )


class ReorganisationTooDeep(MirrorProblem):
    code = "mirror.reorganisation_too_deep"
    sentence = (
        "The chain no longer has block {block} ({block_hash}), which is {depth} blocks deep "
        "and was final at {finality}."
    )
    next_step = (
        "If the chain was reset on purpose, run `moonlake mirror rebuild`; "
        "otherwise do not trust this node."
    )


class JournalBroken(MirrorProblem):
    code = "mirror.journal_broken"
    sentence = (
        "Block {block}, log {log_index}: the journal of {contract} does not follow: {problem}."
    )
    next_step = "Do not trust this node; compare with another."


class EventUnknown(MirrorProblem):
    code = "mirror.event_unknown"
    sentence = (
        "Block {block}, log {log_index}: {contract} emitted an event that is not known: {topic}."
    )
    next_step = "Use a release that knows this contract."


class MirrorDamaged(MirrorProblem):
    """The database refuses a row that must fit: somebody else has written into the mirror."""

    code = "mirror.damaged"
    sentence = "The mirror's rows contradict the chain: {problem}."
    next_step = "Run `moonlake mirror rebuild`."


class FactsDamaged(MirrorProblem):
    """A raw fact is not as it came from the chain: nothing can be built from it."""

    code = "mirror.facts_damaged"
    sentence = "The stored facts are damaged at block {block}, log {log_index}: {problem}."
    next_step = "Run `moonlake mirror rebuild --from-chain`, which asks the node for all of them."


class MirrorOfAnother(MirrorProblem):
    code = "mirror.of_another_ledger"
    sentence = "The database mirrors another ledger: {what} is {found}, and not {expected}."
    next_step = (
        "Run `moonlake mirror rebuild` to mirror this one instead, or name another database "
        "with MOONLAKE_DATABASE_URL."
    )


class SchemaMismatch(MirrorProblem):
    code = "mirror.schema_mismatch"
    sentence = "The database has schema {found}, this release needs {needed}."
    next_step = (
        "An older database is brought to it by `moonlake mirror sync` or `follow` of this release, "
        "from its own facts; a newer one needs the release that wrote it."
    )


class OfficeProblem(LedgerError):
    """What is kept beside the chain is not as it was kept."""


class EvidenceDamaged(OfficeProblem):
    code = "office.evidence_damaged"
    sentence = "The evidence document {commitment} cannot be shown: {problem}."
    next_step = "Put the file back from a backup; the chain's commitment tells whether it is right."


class Unforeseen(LedgerError):
    """A fault of Moonlake's own, made from an exception that nothing foresaw."""

    code = "internal.unforeseen"
    sentence = "Moonlake met what it did not foresee: {problem}."
    next_step = "Report it with {path}, which says where it happened."


class SendingProblem(LedgerError):
    """A transaction's fate."""


class OperationConflict(SendingProblem):
    code = "sending.operation_conflict"
    sentence = "Operation {operation_id} was already asked for with other content."
    next_step = "Use a new operation id, or send the same content again."


class OperationOfAnother(SendingProblem):
    code = "sending.operation_of_another_signer"
    sentence = "Operation {operation_id} was asked for with the key of {signer}, not of {given}."
    next_step = "Sign with that key again, or use a new operation id for something new."


class OperationCancelled(SendingProblem):
    code = "sending.operation_cancelled"
    sentence = "Operation {operation_id} was cancelled; nothing of it was done."
    next_step = "Use a new operation id to have it done after all."


class OperationSettled(SendingProblem):
    """It cannot be cancelled: it was done, or ended in another way."""

    code = "sending.operation_settled"
    sentence = "Operation {operation_id} cannot be cancelled: it is {state}."
    next_step = "See it with `moonlake operation show {operation_id}`."


class OperationFailed(SendingProblem):
    """What another process found out about an operation, in its words."""

    code = "sending.operation_failed"
    sentence = "{sentence}"
    next_step = "{advice}"
    phrases = frozenset({"sentence", "advice"})

    def __init__(self, *, sentence: str, advice: str) -> None:
        super().__init__(sentence=sentence, advice=advice)


class KeyHalted(SendingProblem):
    """Its nonce went to a transaction that this outbox did not sign."""

    code = "sending.key_halted"
    sentence = (
        "The key of {address} is used elsewhere: its nonce {nonce} went to a transaction that was "
        "not sent from here. Nothing more is signed with it."
    )
    next_step = (
        "Find out what else signs with this key and stop it. Then run "
        "`moonlake operation resume {address}`: what waits is signed anew, and done once."
    )


class FundsTooLow(SendingProblem):
    """`balance` and `needed` in wei; `missing` what to send there at least."""

    code = "sending.funds_too_low"
    sentence = "{address} has {balance} wei and needs {needed} wei for this transaction."
    next_step = (
        "Send it {missing} wei or more of the chain's coin, then run the same command again."
    )

    def __init__(
        self, *, address: str, balance: int, needed: int | str, missing: int | str = ""
    ) -> None:
        if not missing:
            missing = needed - balance if isinstance(needed, int) else "some"
        super().__init__(address=address, balance=balance, needed=needed, missing=missing)


class FeesTooHigh(SendingProblem):
    """Both in wei for one unit of gas."""

    code = "sending.fees_too_high"
    sentence = (
        "One unit of gas costs {price} wei now, more than the {ceiling} wei that "
        "MOONLAKE_MAX_FEE_GWEI allows; nothing was signed."
    )
    next_step = "Wait until the chain is less busy, or raise MOONLAKE_MAX_FEE_GWEI."


class TransactionTooLarge(SendingProblem):
    """`bound` says whose limit `most` is."""

    code = "sending.too_large"
    sentence = "The transaction would need {gas} gas; one transaction may use {most}{bound}."
    next_step = "Split it into several operations with fewer rows each."
    phrases = frozenset({"bound"})

    def __init__(self, *, gas: int | str, most: int | str, bound: str = "") -> None:
        super().__init__(gas=gas, most=most, bound=bound)


class NonceTaken(SendingProblem):
    code = "sending.nonce_taken"
    sentence = (
        "Transaction {transaction_hash} can get into no block: its sender has used nonce {nonce} "
        "for another."
    )
    next_step = "Run the same command with the same operation id; it is signed anew."


class ReceiptOverdue(SendingProblem):
    code = "sending.receipt_overdue"
    sentence = "Transaction {transaction_hash} is not in a block after {seconds} s."
    next_step = "It is kept and can be sent again: run the same command with the same operation id."

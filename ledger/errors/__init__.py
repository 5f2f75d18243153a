"""Every error that Moonlake knows, in one tree; each subject's branch is in a module.

LedgerError
├── InputRefused        what was asked cannot be meant: wrong value, unknown name, bad file
├── ContractRefused     a contract's own error, by name and values
├── SetupProblem        the machine or its settings lack something
├── NodeProblem         a node does not answer, or answers what cannot be true
├── ProofProblem        what was given does not follow from the chain of headers
├── ChainProblem        the chain is not the one that this ledger was deployed on
├── MirrorProblem       the mirror cannot go on, or cannot answer
├── AuditProblem        what an audit is given cannot be used, or cannot be made
├── OfficeProblem       what is kept beside the chain is not as it was kept
├── SendingProblem      a transaction's fate
└── Unforeseen          a fault of Moonlake's own, and where its traceback is

Whoever raises or catches one takes it from here.
"""

from __future__ import annotations

from ledger.errors.asked import (
    ContractRefused,
    CursorInvalid,
    DemonstrationRefused,
    EvidenceMissing,
    InputRefused,
    InvalidFile,
    InvalidValue,
    NotFound,
)
from ledger.errors.audits import (
    AnchorUnreadable,
    AuditProblem,
    BundleUnreadable,
    CertificateUnreadable,
    ProofsUnavailable,
)
from ledger.errors.base import (
    LedgerError,
    Unforeseen,
)
from ledger.errors.chains import (
    ChainMismatch,
    ChainProblem,
    CodeMismatch,
    ContractMissing,
    DataOfOtherChain,
    DevnetFailed,
    DevnetStateUnusable,
    OtherRelease,
    WiringMismatch,
)
from ledger.errors.mirrors import (
    EventUnknown,
    FactsDamaged,
    JournalBroken,
    LedgerPreparing,
    MirrorCannotWrite,
    MirrorDamaged,
    MirrorEmpty,
    MirrorHalted,
    MirrorOfAnother,
    MirrorProblem,
    MirrorStale,
    ReorganisationTooDeep,
    SchemaMismatch,
)
from ledger.errors.nodes import (
    NodeAlone,
    NodeAnswerInvalid,
    NodeAnswerTooLarge,
    NodeAnswerUnreadable,
    NodeLacksBlock,
    NodeLagging,
    NodeProblem,
    NodeRefused,
    NodesDisagree,
    NodeUnreachable,
    NotProved,
    ProofProblem,
)
from ledger.errors.office import (
    EvidenceDamaged,
    OfficeProblem,
)
from ledger.errors.sending import (
    FeesTooHigh,
    FundsTooLow,
    KeyHalted,
    NonceTaken,
    OperationCancelled,
    OperationConflict,
    OperationFailed,
    OperationOfAnother,
    OperationSettled,
    ReceiptOverdue,
    SendingProblem,
    TransactionTooLarge,
)
from ledger.errors.setup import (
    AlreadyRunning,
    ArtifactsStale,
    CompilationFailed,
    DatabaseDamaged,
    DatabaseUnusable,
    DeployerBusy,
    DeploymentBegun,
    DeploymentUnreadable,
    DiskFull,
    FolderUnusable,
    InvalidSetting,
    KeyExists,
    KeyLocked,
    KeyMissing,
    NotDeployed,
    PasswordUnusable,
    PortInUse,
    SetupProblem,
    ToolMissing,
)
from ledger.errors.signers import (
    DevnetKeyRefused,
    PolicyRefused,
    SignerAnswerInvalid,
    SignerProblem,
    SignerRefused,
    SignerUnreachable,
)

__all__ = [
    "AlreadyRunning",
    "AnchorUnreadable",
    "ArtifactsStale",
    "AuditProblem",
    "BundleUnreadable",
    "CertificateUnreadable",
    "ChainMismatch",
    "ChainProblem",
    "CodeMismatch",
    "CompilationFailed",
    "ContractMissing",
    "ContractRefused",
    "CursorInvalid",
    "DataOfOtherChain",
    "DatabaseDamaged",
    "DatabaseUnusable",
    "DemonstrationRefused",
    "DeployerBusy",
    "DeploymentBegun",
    "DeploymentUnreadable",
    "DevnetFailed",
    "DevnetKeyRefused",
    "DevnetStateUnusable",
    "DiskFull",
    "EventUnknown",
    "EvidenceDamaged",
    "EvidenceMissing",
    "FactsDamaged",
    "FeesTooHigh",
    "FolderUnusable",
    "FundsTooLow",
    "InputRefused",
    "InvalidFile",
    "InvalidSetting",
    "InvalidValue",
    "JournalBroken",
    "KeyExists",
    "KeyHalted",
    "KeyLocked",
    "KeyMissing",
    "LedgerError",
    "LedgerPreparing",
    "MirrorCannotWrite",
    "MirrorDamaged",
    "MirrorEmpty",
    "MirrorHalted",
    "MirrorOfAnother",
    "MirrorProblem",
    "MirrorStale",
    "NodeAlone",
    "NodeAnswerInvalid",
    "NodeAnswerTooLarge",
    "NodeAnswerUnreadable",
    "NodeLacksBlock",
    "NodeLagging",
    "NodeProblem",
    "NodeRefused",
    "NodeUnreachable",
    "NodesDisagree",
    "NonceTaken",
    "NotDeployed",
    "NotFound",
    "NotProved",
    "OfficeProblem",
    "OperationCancelled",
    "OperationConflict",
    "OperationFailed",
    "OperationOfAnother",
    "OperationSettled",
    "OtherRelease",
    "PasswordUnusable",
    "PolicyRefused",
    "PortInUse",
    "ProofProblem",
    "ProofsUnavailable",
    "ReceiptOverdue",
    "ReorganisationTooDeep",
    "SchemaMismatch",
    "SendingProblem",
    "SetupProblem",
    "SignerAnswerInvalid",
    "SignerProblem",
    "SignerRefused",
    "SignerUnreachable",
    "ToolMissing",
    "TransactionTooLarge",
    "Unforeseen",
    "WiringMismatch",
]

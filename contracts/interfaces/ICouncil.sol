// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "./ISignedMessages.sol";

/// @title A council: who makes a proposal, and others who check it
/// @notice A councillor of a programme proposes calls; when enough other councillors approved them,
/// one of them executes them. The calls are made by the programme's seat, a contract of its own
/// address, which holds the programme's roles (`council`, and others it is given): so a council
/// cannot act in another's programme. Programme 0 is the whole alliance.
///
/// Who was no councillor when the proposal was made cannot approve it, and an approval counts only
/// while who gave it is still the councillor that it was then: dismissed and appointed again is
/// another one. The same holds for the maker. So whatever is executed has one councillor and as many
/// others as were needed behind it, all of them in office since before it was made. How many are
/// needed is fixed when the proposal is made.
///
/// While the ledger is paused, only proposals whose calls all go to the Authority can be made, approved
/// and executed (so that a seat that is the default admin can dismiss, appoint, and let the ledger go
/// on), and others only be cancelled. A guardian cancels any but these: it could not be dismissed else.
///
/// A proposal needs as many councillors as its approvals and one more. Where fewer are left, only the
/// default admin helps, by appointing others; where that is the alliance's seat itself, nobody. So there
/// should be spare councillors, the more where the seat is the default admin.
interface ICouncil is ISignedMessages {
    enum Status {
        None,
        Open,
        Executed,
        Cancelled
    }

    struct Call {
        address target;
        bytes data;
    }

    /// @param maker who proposed it
    /// @param approvalsNeeded how many others must approve it
    /// @param authorityOnly whether all its calls go to the Authority, so that it works while the ledger
    /// is paused, and no guardian cancels it
    /// @param expiresAt it can be approved and executed before this second
    /// @param authoritySequence the Authority's journal when it was made: councillors appointed
    /// later do not count
    /// @param callsHash keccak256(abi.encode(calls))
    struct Proposal {
        uint16 programmeId;
        Status status;
        uint8 approvalsNeeded;
        bool authorityOnly;
        uint40 expiresAt;
        uint64 authoritySequence;
        address maker;
        bytes32 callsHash;
    }

    /// @notice A proposal was made, and is open. Fields as in Proposal.
    /// @param evidence commitment to the document that says why
    event ProposalMade(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint64 indexed proposalId,
        address maker,
        bytes32 callsHash,
        bytes32 evidence,
        uint8 approvalsNeeded,
        uint40 expiresAt,
        uint64 authoritySequence,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The calls of the proposal that the line before this log made; not a journal line
    /// itself, since `callsHash` fixes them.
    event ProposalCalls(uint64 indexed proposalId, Call[] calls);

    /// @notice A councillor approved a proposal.
    /// @param approvals how many there are now, this one included; some may count no longer
    event ProposalApproved(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint64 indexed proposalId,
        address councillor,
        uint32 approvals,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A proposal is carried out; what it does follows in the same transaction.
    event ProposalExecuted(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint64 indexed proposalId,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A proposal was withdrawn by its maker, or stopped by a guardian.
    event ProposalCancelled(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint64 indexed proposalId,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice How many approvals proposals of the whole alliance need from now on. The first line is
    /// the deployment's, by its deployer and without an operation.
    event AllianceApprovalsChanged(
        uint64 indexed sequence, uint8 approvalsNeeded, address actor, bytes32 operationId, bytes32 head
    );

    error CouncilProposalUnknown(uint64 proposalId);
    /// @notice The proposal is executed or cancelled.
    error CouncilProposalClosed(uint64 proposalId, Status status);
    error CouncilProposalExpired(uint64 proposalId, uint40 expiresAt);
    /// @notice It lasts a second at least and MAX_DURATION at most.
    error CouncilExpiryUnusable(uint40 given, uint40 earliest, uint40 latest);
    error CouncilCallCount(uint256 given, uint256 most);
    /// @notice The calls, as `abi.encode(calls)`, have more bytes than a transaction should carry.
    error CouncilCallsTooLong(uint256 given, uint256 most);
    /// @notice A call has a contract as its target and four bytes of data at least.
    error CouncilCallUnusable(uint256 index, address target);
    /// @notice Who made the proposal cannot approve it.
    error CouncilMakerCannotApprove(uint64 proposalId, address maker);
    error CouncilAlreadyApproved(uint64 proposalId, address councillor);
    /// @notice The account became the councillor that it is after the proposal was made.
    error CouncilAppointedLater(uint64 proposalId, address councillor);
    /// @notice The maker is no longer the councillor that it was when it made the proposal.
    error CouncilMakerDismissed(uint64 proposalId, address maker);
    /// @notice Approvals of those who are still councillors.
    error CouncilApprovalsMissing(uint64 proposalId, uint256 found, uint256 needed);
    /// @notice The calls are not those that were proposed.
    error CouncilCallsDiffer(uint64 proposalId, bytes32 given, bytes32 proposed);
    /// @notice Only who made the proposal cancels it, or a guardian where a call goes elsewhere than to the
    /// Authority.
    error CouncilNotEntitled(address account, uint64 proposalId);
    /// @notice Only a proposal of the whole alliance changes this.
    error CouncilOnlyAllianceSeat(address account);
    /// @notice One is needed at least, and no more can be needed than the proposal that changes it has; at
    /// the deployment, no more than programmes can need.
    error CouncilApprovalsUnusable(uint8 given, uint256 most);
    /// @notice This proposal is being executed, and executes no other.
    error CouncilReentered(uint64 proposalId);

    /// @notice Proposes calls. A councillor of the programme (or alliance-wide).
    /// @param expiresAt from one second to MAX_DURATION from now
    /// @param evidence commitment to the document that says why
    function propose(
        uint16 programmeId,
        Call[] calldata calls,
        uint40 expiresAt,
        bytes32 evidence,
        bytes32 operationId
    ) external returns (uint64 proposalId);

    /// @notice Approves a proposal. `callsHash` says of which calls, so that nobody approves unseen.
    function approve(uint64 proposalId, bytes32 callsHash, bytes32 operationId) external;

    /// @notice Approves by signed message:
    /// `Approval(uint16 programmeId,uint64 proposalId,bytes32 callsHash,address account,bytes32 operationId,uint256 deadline)`.
    function approveBySignature(uint64 proposalId, bytes32 callsHash, bytes32 operationId, Signed calldata signed)
        external;

    /// @notice Makes the calls, in order, all or none. A councillor of the programme, also one appointed
    /// later. The error of a call that reverts is passed on as it is.
    function execute(uint64 proposalId, Call[] calldata calls, bytes32 operationId) external;

    /// @notice Cancels a proposal. Who made it, or a guardian of the programme (or alliance-wide) unless all
    /// calls go to the Authority. Also while the ledger is paused.
    function cancel(uint64 proposalId, bytes32 operationId) external;

    /// @notice Changes how many approvals proposals of the whole alliance need. Only by such a proposal,
    /// which must itself have as many: so nobody asks for more councillors than there are.
    function changeAllianceApprovals(uint8 approvalsNeeded, bytes32 operationId) external;

    /// @notice The address that a programme's proposals act from. It exists from the first execution on,
    /// and can be appointed before that.
    function seatOf(uint16 programmeId) external view returns (address);

    function proposalCount() external view returns (uint64);

    /// @notice Reverts with CouncilProposalUnknown.
    function proposal(uint64 proposalId) external view returns (Proposal memory);

    /// @notice Who approved it, in order; some may count no longer.
    function approversOf(uint64 proposalId) external view returns (address[] memory);

    /// @notice How many approvals count now.
    function approvalsOf(uint64 proposalId) external view returns (uint256);

    function allianceApprovals() external view returns (uint8);
}

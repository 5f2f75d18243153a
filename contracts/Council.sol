// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IAuthority} from "./interfaces/IAuthority.sol";
import {ICouncil} from "./interfaces/ICouncil.sol";
import {IJournal} from "./interfaces/IJournal.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {ISeat} from "./interfaces/ISeat.sol";
import {Roles} from "./Roles.sol";
import {Seat} from "./Seat.sol";
import {SignedMessages} from "./SignedMessages.sol";

/// @title Maker and checkers of what a programme does
contract Council is ICouncil, SignedMessages {
    /// @notice The most calls in one proposal.
    uint256 public constant MAX_CALLS = 32;

    /// @notice The most bytes of a proposal's calls, as `abi.encode(calls)`. A largest batch of awards
    /// fits in; proposing takes 2.7 million gas at most, and executing 0.4 million more than the batch by
    /// itself.
    uint256 public constant MAX_CALL_BYTES = 65_536;

    /// @notice The longest time that a proposal is open.
    uint40 public constant MAX_DURATION = 90 days;

    /// @dev The most approvals that the alliance's proposals can need from the beginning, as Programmes has
    /// it: a larger number would be a mistake that no proposal could ever mend.
    uint8 private constant MAX_FIRST_APPROVALS = 16;

    bytes32 private constant APPROVAL = keccak256(
        "Approval(uint16 programmeId,uint64 proposalId,bytes32 callsHash,address account,bytes32 operationId,uint256 deadline)"
    );

    bytes32 private constant SEAT_CODE_HASH = keccak256(type(Seat).creationCode);

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;

    /// @dev The proposal that is being executed in this transaction; 0 for none.
    uint64 private transient _executing;

    uint8 private _allianceApprovals;
    uint64 private _count;
    mapping(uint64 proposalId => Proposal) private _proposals;
    mapping(uint64 proposalId => address[]) private _approvers;

    constructor(IAuthority authority_, IProgrammes programmes_, uint8 allianceApprovals_)
        SignedMessages("Moonlake Council")
    {
        authority = authority_;
        programmes = programmes_;
        if (allianceApprovals_ == 0 || allianceApprovals_ > MAX_FIRST_APPROVALS) {
            revert CouncilApprovalsUnusable(allianceApprovals_, MAX_FIRST_APPROVALS);
        }
        _changeAllianceApprovals(_pen(), allianceApprovals_, 0);
    }

    /// @inheritdoc ICouncil
    function propose(
        uint16 programmeId,
        Call[] calldata calls,
        uint40 expiresAt,
        bytes32 evidence,
        bytes32 operationId
    ) external returns (uint64 proposalId) {
        bool authorityOnly = _onlyToAuthority(calls);
        _requireCouncillor(programmeId, msg.sender, authorityOnly);
        bytes32 callsHash = _requireCalls(calls);
        Pen memory pen = _begin(msg.sender, operationId);
        _requireExpiry(expiresAt);
        uint8 approvalsNeeded =
            programmeId == 0 ? _allianceApprovals : programmes.programme(programmeId).approvalsNeeded;

        proposalId = ++_count;
        Proposal memory made = Proposal({
            programmeId: programmeId,
            status: Status.Open,
            approvalsNeeded: approvalsNeeded,
            authorityOnly: authorityOnly,
            expiresAt: expiresAt,
            authoritySequence: IJournal(address(authority)).sequence(),
            maker: msg.sender,
            callsHash: callsHash
        });
        _proposals[proposalId] = made;
        _journalMade(pen, proposalId, made, evidence, operationId);
        emit ProposalCalls(proposalId, calls);
    }

    /// @inheritdoc ICouncil
    function approve(uint64 proposalId, bytes32 callsHash, bytes32 operationId) external {
        Proposal memory found = _known(proposalId);
        _requireCouncillor(found.programmeId, msg.sender, found.authorityOnly);
        _approve(_begin(msg.sender, operationId), msg.sender, proposalId, found, callsHash, operationId);
    }

    /// @inheritdoc ICouncil
    function approveBySignature(uint64 proposalId, bytes32 callsHash, bytes32 operationId, Signed calldata signed)
        external
    {
        Proposal memory found = _known(proposalId);
        address councillor = accountOf(signed.signer);
        _requireCouncillor(found.programmeId, councillor, found.authorityOnly);
        Pen memory pen = _begin(councillor, operationId);
        bytes32 message = keccak256(
            abi.encode(
                APPROVAL, found.programmeId, proposalId, callsHash, councillor, operationId, signed.deadline
            )
        );
        _requireSigned(councillor, operationId, message, signed);
        _approve(pen, councillor, proposalId, found, callsHash, operationId);
    }

    /// @inheritdoc ICouncil
    function execute(uint64 proposalId, Call[] calldata calls, bytes32 operationId) external {
        if (_executing != 0) revert CouncilReentered(_executing);
        Proposal memory found = _known(proposalId);
        _requireCouncillor(found.programmeId, msg.sender, found.authorityOnly);
        Pen memory pen = _begin(msg.sender, operationId);
        _requireOpen(proposalId, found);
        _requireSame(proposalId, keccak256(abi.encode(calls)), found.callsHash);
        _requireMaker(proposalId, found);
        uint256 approvals = _approvals(proposalId, found, found.approvalsNeeded);
        if (approvals < found.approvalsNeeded) {
            revert CouncilApprovalsMissing(proposalId, approvals, found.approvalsNeeded);
        }
        _requireTargets(calls); // a contract can be gone since

        _proposals[proposalId].status = Status.Executed;
        _executing = proposalId;
        _journalExecuted(pen, found.programmeId, proposalId, operationId);
        _seat(found.programmeId).act(calls);
        _executing = 0;
    }

    /// @inheritdoc ICouncil
    function cancel(uint64 proposalId, bytes32 operationId) external {
        Proposal memory found = _known(proposalId);
        // Else a guardian could not be dismissed where the default admin is a seat.
        bool entitled = msg.sender == found.maker
            || (!found.authorityOnly && authority.isOfficer(Roles.GUARDIAN, found.programmeId, msg.sender));
        if (!entitled) revert CouncilNotEntitled(msg.sender, proposalId);
        Pen memory pen = _begin(msg.sender, operationId);
        _requireOpen(proposalId, found);
        _proposals[proposalId].status = Status.Cancelled;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(
                    ProposalCancelled.selector, line, found.programmeId, proposalId, msg.sender, operationId
                )
            )
        );
        emit ProposalCancelled(line, found.programmeId, proposalId, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc ICouncil
    function changeAllianceApprovals(uint8 approvalsNeeded, bytes32 operationId) external {
        authority.requireRunning();
        if (msg.sender != seatOf(Roles.ALLIANCE_WIDE)) revert CouncilOnlyAllianceSeat(msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        // The seat acts only while one of its proposals is being executed.
        uint256 most = _approvals(_executing, _proposals[_executing], type(uint256).max);
        if (approvalsNeeded == 0 || approvalsNeeded > most) {
            revert CouncilApprovalsUnusable(approvalsNeeded, most);
        }
        _changeAllianceApprovals(pen, approvalsNeeded, operationId);
    }

    /// @inheritdoc ICouncil
    function proposalCount() external view returns (uint64) {
        return _count;
    }

    /// @inheritdoc ICouncil
    function proposal(uint64 proposalId) external view returns (Proposal memory) {
        return _known(proposalId);
    }

    /// @inheritdoc ICouncil
    function approversOf(uint64 proposalId) external view returns (address[] memory) {
        return _approvers[proposalId];
    }

    /// @inheritdoc ICouncil
    function approvalsOf(uint64 proposalId) external view returns (uint256) {
        return _approvals(proposalId, _known(proposalId), type(uint256).max);
    }

    /// @inheritdoc ICouncil
    function allianceApprovals() external view returns (uint8) {
        return _allianceApprovals;
    }

    /// @inheritdoc ICouncil
    function seatOf(uint16 programmeId) public view returns (address) {
        return Create2.computeAddress(bytes32(uint256(programmeId)), SEAT_CODE_HASH);
    }

    function _approve(
        Pen memory pen,
        address councillor,
        uint64 proposalId,
        Proposal memory found,
        bytes32 callsHash,
        bytes32 operationId
    ) private {
        _requireOpen(proposalId, found);
        _requireSame(proposalId, callsHash, found.callsHash);
        if (councillor == found.maker) revert CouncilMakerCannotApprove(proposalId, councillor);
        _requireMaker(proposalId, found);
        if (!_isSince(found, councillor)) revert CouncilAppointedLater(proposalId, councillor);
        address[] storage approvers = _approvers[proposalId];
        uint256 before = approvers.length;
        for (uint256 i = 0; i < before; ++i) {
            if (approvers[i] == councillor) revert CouncilAlreadyApproved(proposalId, councillor);
        }

        approvers.push(councillor);
        uint64 line = _next(pen);
        uint32 approvals = uint32(before + 1);
        bytes32 eventHash = keccak256(
            abi.encode(
                ProposalApproved.selector, line, found.programmeId, proposalId, councillor, approvals, operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit ProposalApproved(line, found.programmeId, proposalId, councillor, approvals, operationId, head);
        _end(pen);
    }

    /// @dev The pen is put down here, since the calls may come back and write lines of their own.
    function _journalExecuted(Pen memory pen, uint16 programmeId, uint64 proposalId, bytes32 operationId) private {
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(ProposalExecuted.selector, line, programmeId, proposalId, msg.sender, operationId)
            )
        );
        emit ProposalExecuted(line, programmeId, proposalId, msg.sender, operationId, head);
        _end(pen);
    }

    function _journalMade(
        Pen memory pen,
        uint64 proposalId,
        Proposal memory made,
        bytes32 evidence,
        bytes32 operationId
    ) private {
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                ProposalMade.selector,
                line,
                made.programmeId,
                proposalId,
                made.maker,
                made.callsHash,
                evidence,
                made.approvalsNeeded,
                made.expiresAt,
                made.authoritySequence,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit ProposalMade(
            line,
            made.programmeId,
            proposalId,
            made.maker,
            made.callsHash,
            evidence,
            made.approvalsNeeded,
            made.expiresAt,
            made.authoritySequence,
            operationId,
            head
        );
        _end(pen);
    }

    function _changeAllianceApprovals(Pen memory pen, uint8 approvalsNeeded, bytes32 operationId) private {
        _allianceApprovals = approvalsNeeded;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(AllianceApprovalsChanged.selector, line, approvalsNeeded, msg.sender, operationId)
            )
        );
        emit AllianceApprovalsChanged(line, approvalsNeeded, msg.sender, operationId, head);
        _end(pen);
    }

    /// @dev The programme's seat, made if it is not there yet.
    function _seat(uint16 programmeId) private returns (ISeat seat) {
        seat = ISeat(seatOf(programmeId));
        if (address(seat).code.length == 0) new Seat{salt: bytes32(uint256(programmeId))}();
    }

    /// @dev Whether the account is the councillor that it was when the proposal was made.
    function _isSince(Proposal memory found, address account) private view returns (bool) {
        return _isSince(found, account, found.programmeId) || _isSince(found, account, Roles.ALLIANCE_WIDE);
    }

    function _isSince(Proposal memory found, address account, uint16 programmeId) private view returns (bool) {
        uint64 appointed = authority.appointedAt(Roles.COUNCILLOR, programmeId, account);
        return appointed != 0 && appointed <= found.authoritySequence;
    }

    /// @dev Counts no further than `enough`, so that approvals beyond it cost nothing to who executes.
    function _approvals(uint64 proposalId, Proposal memory found, uint256 enough)
        private
        view
        returns (uint256 approvals)
    {
        address[] storage approvers = _approvers[proposalId];
        uint256 given = approvers.length;
        for (uint256 i = 0; i < given && approvals < enough; ++i) {
            if (_isSince(found, approvers[i])) ++approvals;
        }
    }

    function _known(uint64 proposalId) private view returns (Proposal memory found) {
        found = _proposals[proposalId];
        if (found.status == Status.None) revert CouncilProposalUnknown(proposalId);
    }

    function _requireOpen(uint64 proposalId, Proposal memory found) private view {
        if (found.status != Status.Open) revert CouncilProposalClosed(proposalId, found.status);
        if (block.timestamp >= found.expiresAt) revert CouncilProposalExpired(proposalId, found.expiresAt);
    }

    function _requireMaker(uint64 proposalId, Proposal memory found) private view {
        if (!_isSince(found, found.maker)) revert CouncilMakerDismissed(proposalId, found.maker);
    }

    function _requireCouncillor(uint16 programmeId, address account, bool evenPaused) private view {
        if (!evenPaused) {
            authority.requireOfficer(Roles.COUNCILLOR, programmeId, account);
        } else if (!authority.isOfficer(Roles.COUNCILLOR, programmeId, account)) {
            revert IAuthority.AuthorityRoleMissing(account, Roles.COUNCILLOR, programmeId);
        }
    }

    function _requireExpiry(uint40 expiresAt) private view {
        uint40 earliest = uint40(block.timestamp) + 1;
        uint40 latest = uint40(block.timestamp) + MAX_DURATION;
        if (expiresAt < earliest || expiresAt > latest) revert CouncilExpiryUnusable(expiresAt, earliest, latest);
    }

    /// @return callsHash the hash of the calls
    function _requireCalls(Call[] calldata calls) private view returns (bytes32 callsHash) {
        if (calls.length == 0 || calls.length > MAX_CALLS) revert CouncilCallCount(calls.length, MAX_CALLS);
        bytes memory encoded = abi.encode(calls);
        if (encoded.length > MAX_CALL_BYTES) revert CouncilCallsTooLong(encoded.length, MAX_CALL_BYTES);
        _requireTargets(calls);
        callsHash = keccak256(encoded);
    }

    function _requireTargets(Call[] calldata calls) private view {
        for (uint256 i = 0; i < calls.length; ++i) {
            bool usable = calls[i].target.code.length != 0 && calls[i].data.length >= 4;
            if (!usable) revert CouncilCallUnusable(i, calls[i].target);
        }
    }

    function _onlyToAuthority(Call[] calldata calls) private view returns (bool) {
        for (uint256 i = 0; i < calls.length; ++i) {
            if (calls[i].target != address(authority)) return false;
        }
        return true;
    }

    function _requireSame(uint64 proposalId, bytes32 given, bytes32 proposed) private pure {
        if (given != proposed) revert CouncilCallsDiffer(proposalId, given, proposed);
    }
}

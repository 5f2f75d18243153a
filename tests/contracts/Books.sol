// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Entries} from "./Entries.sol";
import {Vm} from "./Vm.sol";

/// @title Gives commands to the ledger, and keeps books of its own from the logs
/// @notice Nothing here may fail: a command that the ledger refuses is a command that left no trace.
abstract contract Books is Entries {
    struct Given {
        address target;
        address sender;
        bytes data;
    }

    uint256 private constant REMEMBERED = 32;

    mapping(uint32 orgId => uint32) public successors;
    mapping(address target => bytes32) public heads;
    mapping(address target => uint64) public sequences;
    mapping(uint16 programmeId => mapping(ICredits.Kind => int256)) public sums;
    mapping(uint16 programmeId => mapping(uint32 orgId => int256)) public balances;
    mapping(uint16 programmeId => mapping(uint32 epoch => uint256)) public spent;
    mapping(uint16 programmeId => mapping(uint32 epoch => mapping(bytes32 category => uint256))) public spentIn;
    mapping(uint16 programmeId => mapping(uint32 epoch => uint256)) public reversed;
    mapping(uint64 entryId => uint64) public reversedBy;
    mapping(uint64 entryId => uint64) public expiredBy;
    /// @notice What is redeemed, and neither fulfilled nor given back.
    mapping(uint16 programmeId => uint256) public open;
    mapping(uint32 listingId => uint32) public redeemed;
    mapping(uint32 distributionId => uint256) public claimed;
    mapping(uint32 distributionId => mapping(uint32 orgId => bool)) private _hasClaimed;
    mapping(uint32 distributionId => bool) private _withdrawn;
    /// @notice By the events of Organisations; nobody for one that is retired.
    mapping(uint32 orgId => address) public controllers;
    /// @notice By the Transfers of Memberships.
    mapping(uint256 tokenId => address) public owners;
    mapping(uint64 proposalId => address[]) private _approvers;
    mapping(uint64 proposalId => uint256) private _endings;
    mapping(bytes4 selector => uint256) public done;
    uint256 public refusedStrangers;
    uint256 public refusedReplays;
    uint256 public rivals;

    /// @notice An officer who sees commands under way, and gives others by their operation ids first.
    address internal immutable rival = _account("rival");

    Given[] private _given;
    uint256 private _next;

    /// @notice All that keep a journal.
    function all() public view returns (address[8] memory) {
        return [
            address(authority),
            address(programmes),
            address(organisations),
            address(memberships),
            address(credits),
            address(benefits),
            address(shares),
            address(councils)
        ];
    }

    /// @dev Gives a command. Sometimes somebody without any right tries it first, in vain.
    function _give(address target, address sender, bytes memory data) internal returns (bool given) {
        if (uint256(keccak256(data)) % 4 == 0) {
            vm.prank(stranger);
            (given,) = target.call(data);
            vm.assertFalse(given, "a command by a stranger");
            ++refusedStrangers;
        }
        if (uint256(keccak256(data)) >> 8 & 7 == 0) _compete(target, sender);
        return _relay(target, sender, data);
    }

    /// @dev The rival uses the id of the command that comes next, where it may give any. That changes nothing
    /// for the command: `_relay` looks at it.
    function _compete(address target, address sender) private {
        bytes32 id = _lastOperation();
        // Some commands have none, and the last one given is an old one.
        IJournal journal = IJournal(target);
        if (journal.operationSequence(sender, id) + journal.operationSequence(rival, id) != 0) return;
        bytes memory data = abi.encodeCall(programmes.changeProfile, (FIRST, id, id));
        if (target == address(organisations)) {
            data = abi.encodeCall(organisations.changeProfile, (1, id, id));
        } else if (target == address(memberships)) {
            data = abi.encodeCall(memberships.changeMetadataBase, ("base", id));
        } else if (target == address(credits)) {
            data = abi.encodeCall(credits.award, (FIRST, _awards(2, 1), id));
        } else if (target == address(councils)) {
            data = abi.encodeCall(councils.cancelMessage, (id));
        } else if (target != address(programmes)) {
            return;
        }
        if (_relay(target, rival, data)) ++rivals;
    }

    /// @dev Gives a command whoever sends it.
    function _relay(address target, address sender, bytes memory data) internal returns (bool given) {
        vm.recordLogs();
        vm.prank(sender);
        bytes memory answer;
        (given, answer) = target.call(data);
        Vm.Log[] memory logs = vm.getRecordedLogs(); // of calls that were undone, too
        if (!given) {
            // Only what the same account did before, which `_repeat` gives again.
            vm.assertTrue(bytes4(answer) != IJournal.JournalOperationDone.selector, "a new operation, done");
            return false;
        }
        vm.assertTrue(logs.length > 0, "a trace of what was done");
        _book(logs);
        ++done[bytes4(data)];
        if (_given.length < REMEMBERED) _given.push(Given(target, sender, data));
        else _given[_next++ % REMEMBERED] = Given(target, sender, data);
    }

    /// @dev One of the last commands that were done, again and to the letter.
    function _repeat(uint256 seed) internal {
        if (_given.length == 0) return;
        Given storage before = _given[seed % _given.length];
        vm.prank(before.sender);
        (bool again,) = before.target.call(before.data);
        vm.assertFalse(again, "a command that was done twice");
        ++refusedReplays;
    }

    function _book(Vm.Log[] memory logs) internal {
        address[8] memory targets = all();
        for (uint256 i = 0; i < targets.length; ++i) {
            (Vm.Log[] memory journal,) = _journalOf(targets[i], logs);
            (heads[targets[i]], sequences[targets[i]]) = _follow(heads[targets[i]], sequences[targets[i]], journal);
        }
        uint64 known = uint64(posted.length);
        uint64 last = _collect(logs);
        for (uint64 i = known; i < last; ++i) {
            _bookEntry(posted[i].entry);
        }
        for (uint256 i = 0; i < logs.length; ++i) {
            _bookLog(logs[i]);
        }
    }

    function _bookEntry(ICredits.Entry memory entry) private {
        sums[entry.programmeId][entry.kind] += entry.amount;
        balances[entry.programmeId][entry.orgId] += entry.amount;
        vm.assertEq(balances[entry.programmeId][entry.orgId], entry.balanceAfter, "balance after");
        if (entry.kind == ICredits.Kind.Reversal) {
            vm.assertEq(reversedBy[entry.refersTo], 0, "reversed before");
            reversedBy[entry.refersTo] = entry.entryId;
            _bookReversal(entry);
        } else if (entry.kind == ICredits.Kind.Expiry) {
            vm.assertEq(expiredBy[entry.refersTo], 0, "expired before");
            vm.assertEq(reversedBy[entry.refersTo], 0, "an expiry of what was reversed");
            expiredBy[entry.refersTo] = entry.entryId;
        } else if (entry.kind == ICredits.Kind.Award && entry.actor == issuer) {
            uint32 epoch = programmes.epochAt(entry.programmeId, uint40(block.timestamp));
            spent[entry.programmeId][epoch] += uint64(entry.amount);
            if (programmes.categoryBudget(entry.programmeId, issuer, entry.category) != type(uint64).max) {
                spentIn[entry.programmeId][epoch][entry.category] += uint64(entry.amount);
            }
        }
    }

    /// @dev A reversal takes back what did not expire, of the same organisation.
    function _bookReversal(ICredits.Entry memory entry) private {
        ICredits.Entry storage award = posted[entry.refersTo - 1].entry;
        uint64 expiry = expiredBy[entry.refersTo];
        int64 expired = expiry == 0 ? int64(0) : -posted[expiry - 1].entry.amount;
        vm.assertEq(uint8(award.kind), uint8(ICredits.Kind.Award), "reversed kind");
        vm.assertEq(award.orgId, entry.orgId, "reversed organisation");
        vm.assertEq(int256(entry.amount), -int256(award.amount - expired), "reversed amount");
        if (entry.actor != issuer) return;
        uint32 epoch = programmes.epochAt(entry.programmeId, uint40(block.timestamp));
        reversed[entry.programmeId][epoch] += uint64(-entry.amount);
    }

    function _bookLog(Vm.Log memory log) private {
        if (log.emitter == address(benefits)) {
            _bookBenefit(log);
        } else if (log.emitter == address(organisations)) {
            _bookOrganisation(log);
        } else if (log.emitter == address(councils)) {
            _bookProposal(log);
        } else if (log.topics[0] == IShares.ShareClaimed.selector) {
            _bookClaim(log);
        } else if (log.topics[0] == IShares.SharesWithdrawn.selector) {
            _withdrawn[uint32(uint256(log.topics[3]))] = true;
        } else if (log.topics[0] == IERC721.Transfer.selector) {
            uint256 tokenId = uint256(log.topics[3]);
            vm.assertEq(owners[tokenId], _asAddress(log.topics[1]), "whose token moves");
            owners[tokenId] = _asAddress(log.topics[2]);
        }
    }

    function _bookBenefit(Vm.Log memory log) private {
        bytes32 selector = log.topics[0];
        if (selector == IBenefits.BenefitRedeemed.selector) {
            (, uint32 quantity, uint64 amount) = abi.decode(log.data, (uint64, uint32, uint64));
            open[_programmeOf(log)] += amount;
            redeemed[uint32(uint256(log.topics[2]))] += quantity;
        } else if (
            selector == IBenefits.RedemptionFulfilled.selector
                || selector == IBenefits.RedemptionCancelled.selector
        ) {
            uint64 redemptionId = abi.decode(log.data, (uint64));
            IBenefits.Redemption memory found = benefits.redemption(redemptionId);
            uint64 price = benefits.listing(found.listingId).listing.price;
            open[_programmeOf(log)] -= price * found.quantity;
            if (selector == IBenefits.RedemptionCancelled.selector) redeemed[found.listingId] -= found.quantity;
        }
    }

    function _programmeOf(Vm.Log memory log) private view returns (uint16) {
        return benefits.listing(uint32(uint256(log.topics[2]))).listing.programmeId;
    }

    function _bookOrganisation(Vm.Log memory log) private {
        bytes32 selector = log.topics[0];
        uint32 orgId = uint32(uint256(log.topics[2]));
        if (selector == IOrganisations.OrganisationRegistered.selector) {
            controllers[orgId] = _asAddress(log.topics[3]);
        } else if (selector == IOrganisations.ControllerChanged.selector) {
            address previous = abi.decode(log.data, (address));
            vm.assertEq(controllers[orgId], previous, "controller before");
            controllers[orgId] = _asAddress(log.topics[3]);
        } else if (selector == IOrganisations.OrganisationRetired.selector) {
            controllers[orgId] = address(0);
            _bookSuccessor(orgId, uint32(uint256(log.topics[3])));
        } else if (selector == IOrganisations.SuccessorNamed.selector) {
            vm.assertEq(controllers[orgId], address(0), "retired");
            _bookSuccessor(orgId, uint32(uint256(log.topics[3])));
        }
    }

    /// @dev Named once, and one that acts when it is.
    function _bookSuccessor(uint32 orgId, uint32 successorId) private {
        vm.assertEq(successors[orgId], 0, "successor before");
        if (successorId != 0) vm.assertTrue(controllers[successorId] != address(0), "a successor that acts");
        successors[orgId] = successorId;
    }

    /// @dev A proposal ends once; approvals are by others than its maker, each once, and enough.
    function _bookProposal(Vm.Log memory log) private {
        bytes32 selector = log.topics[0];
        uint64 proposalId = log.topics.length > 3 ? uint64(uint256(log.topics[3])) : 0;
        address[] storage approvers = _approvers[proposalId];
        if (selector == ICouncil.ProposalApproved.selector) {
            address councillor = abi.decode(log.data, (address));
            vm.assertTrue(councillor != councils.proposal(proposalId).maker, "approved by the maker");
            for (uint256 i = 0; i < approvers.length; ++i) {
                vm.assertTrue(approvers[i] != councillor, "approved twice");
            }
            approvers.push(councillor);
        } else if (selector == ICouncil.ProposalExecuted.selector) {
            ICouncil.Proposal memory found = councils.proposal(proposalId);
            uint256 counted = 0;
            for (uint256 i = 0; i < approvers.length; ++i) {
                uint64 since = authority.appointedAt(COUNCILLOR_ROLE, 0, approvers[i]);
                if (since != 0 && since <= found.authoritySequence) ++counted;
            }
            vm.assertGe(int256(counted), int256(uint256(found.approvalsNeeded)), "approvals");
            vm.assertLe(block.timestamp + 1, found.expiresAt, "executed in time");
            vm.assertEq(++_endings[proposalId], 1, "endings");
        } else if (selector == ICouncil.ProposalCancelled.selector) {
            ICouncil.Proposal memory found = councils.proposal(proposalId);
            address by = abi.decode(log.data, (address));
            vm.assertTrue(by == found.maker || (by == guardian && !found.authorityOnly), "who cancels");
            vm.assertEq(++_endings[proposalId], 1, "endings");
        }
    }

    function _bookClaim(Vm.Log memory log) private {
        (uint32 distributionId, uint32 orgId) = (uint32(uint256(log.topics[2])), uint32(uint256(log.topics[3])));
        vm.assertFalse(_hasClaimed[distributionId][orgId], "claimed before");
        vm.assertFalse(_withdrawn[distributionId], "claimed of what was withdrawn");
        _hasClaimed[distributionId][orgId] = true;
        claimed[distributionId] += abi.decode(log.data, (uint64));
    }

    function _asAddress(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}

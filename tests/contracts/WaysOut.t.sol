// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {AwardMessages} from "./AwardMessages.sol";
import {Pools} from "./Pools.sol";
import {Proposals} from "./Proposals.sol";

/// @title What one officer, or a bearer, does to stand in others' way, and how they get by
contract WaysOutTest is Pools, Proposals, AwardMessages {
    address private immutable heir = _account("heir");

    function setUp() public override {
        super.setUp();
        _appointCouncillors();
        _appoint(COUNCIL_ROLE, 0, councils.seatOf(0));
        _appoint(COUNCIL_ROLE, FIRST, councils.seatOf(FIRST));
    }

    /// @dev A registrar registers a body that does not exist, with the account that a recovery names.
    function test_recovery__its_successor_registered_by_a_registrar__is_finished_with_its_retirement() public {
        _command(council, abi.encodeCall(organisations.beginRecovery, (3, heir, EVIDENCE, _operation())));
        IOrganisations.Registration[] memory given = new IOrganisations.Registration[](1);
        given[0] = IOrganisations.Registration(heir, "company", EVIDENCE);
        _command(registrar, abi.encodeCall(organisations.register, (given, _operation())));
        _admit(FIRST, 7); // and makes it a member, which is not retired
        vm.warp(block.timestamp + RECOVERY_DELAY);
        bytes memory finish = abi.encodeCall(organisations.finishRecovery, (3, _operation()));
        bytes memory inUse = abi.encodeWithSelector(IOrganisations.OrganisationsControllerInUse.selector, heir, 7);
        _send(address(organisations), council, finish, inUse);

        ICouncil.Call[] memory calls = new ICouncil.Call[](3);
        calls[0] = ICouncil.Call(
            address(memberships),
            abi.encodeCall(memberships.revoke, (FIRST, _one(uint32(7)), REASON, EVIDENCE, _operation()))
        );
        calls[1] = ICouncil.Call(
            address(organisations), abi.encodeCall(organisations.retire, (7, 0, EVIDENCE, _operation()))
        );
        calls[2] = ICouncil.Call(address(organisations), finish);
        _execute(wideFourth, _agreed(0, calls), calls);
        vm.assertEq(organisations.controllerOf(3), heir, "controller");
    }

    /// @dev A programme's registrar admits again whom the alliance is about to retire, each time.
    function test_retirement__a_registrar_that_admits_again__is_done_after_its_dismissal() public {
        address rogue = _account("rogue");
        _appoint(REGISTRAR_ROLE, SECOND, rogue);
        _revoke(council, FIRST);
        bytes memory retirement = abi.encodeCall(organisations.retire, (3, 4, EVIDENCE, _operation()));
        bytes memory admission =
            abi.encodeCall(memberships.admit, (SECOND, _admissions(3, FULL, EXPIRY), REASON, _operation()));
        _send(address(memberships), rogue, admission, "");
        bytes memory still = abi.encodeWithSelector(IOrganisations.OrganisationsStillMember.selector, 3, 1);
        _send(address(organisations), council, retirement, still);
        _dismiss(REGISTRAR_ROLE, SECOND, rogue);
        _revoke(council, SECOND);
        _send(address(organisations), council, retirement, "");
    }

    /// @dev A guardian's pause outlasts the claims: the distribution is posted again for those who missed it.
    function test_claims__paused_to_their_end__are_posted_again() public {
        _claim(1);
        _pause();
        vm.warp(UNTIL);
        _resume();
        _refused(3, abi.encodeWithSelector(IShares.SharesClaimsNotOpen.selector, posted, FROM, UNTIL));
        IShares.Distribution memory terms = _terms();
        terms.claimableFrom = UNTIL + 1 days;
        terms.claimableUntil = UNTIL + 30 days;
        bytes32 operationId = _operation();
        vm.prank(council);
        uint32 again = shares.post(terms, EVIDENCE, operationId);
        vm.warp(terms.claimableFrom);
        _claimed(_controller(3), again, 3, 300, _proofOf(3), "");
    }

    /// @dev Mergers in a long row: each is a decision of the council, and a claim bears as many as come.
    function test_claim__merged_forty_times__fits_a_transaction() public {
        _register(40);
        uint32 last = 5;
        for (uint32 orgId = 7; orgId <= 46; ++orgId) {
            _retire(last, orgId);
            last = orgId;
        }
        uint256 before = gasleft();
        _claimed(_controller(46), posted, 5, 500, _proofOf(5), "");
        vm.assertLe(before - gasleft(), 1_000_000, "gas");
    }

    /// @dev A bearer that holds an award back until the next epoch has it count there, and nowhere twice.
    function test_signed__held_back_over_a_boundary__counts_in_the_epoch_that_it_comes_in() public {
        vm.warp(EPOCH_END + 30 days - 1); // the last second of the second epoch
        ICredits.Award[] memory awards = new ICredits.Award[](10);
        for (uint256 i = 0; i < 10; ++i) {
            awards[i] = ICredits.Award(1, PER_AWARD, DATA, EVIDENCE);
        }
        uint256 deadline = block.timestamp + 1 days;
        ISignedMessages.Signed memory held =
            _signedBatch(_key("issuer"), address(credits), FIRST, awards, "held back", deadline);
        bytes memory message = abi.encodeCall(credits.awardBySignature, (FIRST, awards, "held back", held));
        _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, _operation())), "");
        bytes memory spent = abi.encodeWithSelector(ICredits.CreditsAwardOverBudget.selector, issuer, PER_EPOCH, 0);
        _send(address(credits), stranger, message, spent);
        vm.warp(block.timestamp + 1);
        _send(address(credits), stranger, message, "");
        vm.assertEq(credits.spent(FIRST, 2, issuer), PER_EPOCH, "spent in the second");
        vm.assertEq(credits.spent(FIRST, 3, issuer), PER_EPOCH, "spent in the third");
        _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, _operation())), spent);
    }

    /// @dev What was cancelled is the message. Its id is free for a command that its signer sends, once.
    function test_cancelled__its_id_in_a_command__is_done_once_and_revives_no_message() public {
        ICredits.Award[] memory awards = _awards(1, 10);
        uint256 deadline = block.timestamp + 1 days;
        ISignedMessages.Signed memory signed =
            _signedBatch(_key("issuer"), address(credits), FIRST, awards, OPERATION, deadline);
        bytes memory message = abi.encodeCall(credits.awardBySignature, (FIRST, awards, OPERATION, signed));
        _send(address(credits), issuer, abi.encodeCall(credits.cancelMessage, (OPERATION)), "");
        bytes memory cancelled =
            abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, issuer, OPERATION);
        _send(address(credits), stranger, message, cancelled);
        _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, OPERATION)), "");
        vm.prank(stranger);
        (bool again,) = address(credits).call(message);
        vm.assertFalse(again, "the message");
        vm.assertEq(credits.balanceOf(FIRST, 1), 10, "balance");
    }

    /// @dev Whoever executes chooses the gas. The ledger's commands are done whole or not at all by any.
    function test_execute__by_any_gas__is_done_whole_or_not_at_all() public {
        ICredits.Award[] memory awards = new ICredits.Award[](20);
        for (uint32 i = 0; i < 20; ++i) {
            awards[i] = ICredits.Award(i % 4 + 1, 5, DATA, EVIDENCE);
        }
        ICouncil.Call[] memory calls =
            _calls(address(credits), abi.encodeCall(credits.award, (FIRST, awards, _operation())));
        uint64 proposalId = _agreed(FIRST, calls);
        bytes memory data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
        uint256 before = vm.snapshotState();
        uint256 executed = 0;
        for (uint256 gas = 50_000; gas < 900_000; gas += 25_000) {
            vm.prank(fourth);
            (bool done,) = address(councils).call{gas: gas}(data);
            bool ended = councils.proposal(proposalId).status == ICouncil.Status.Executed;
            vm.assertEq(ended, done, "executed");
            vm.assertEq(credits.outstanding(FIRST), done ? int256(100) : int256(0), "awarded");
            if (done) ++executed;
            vm.revertToState(before);
        }
        vm.assertGe(int256(executed), 5, "executions");
        vm.assertLe(executed, 30, "executions");
    }

    /// @dev A boundary that lies too far cannot be moved: one long epoch is left, in which budgets are raised.
    function test_boundary__too_far__leaves_an_epoch_whose_budgets_are_raised() public {
        uint40[] memory far = new uint40[](1);
        far[0] = LAST_TIME;
        vm.prank(council);
        programmes.appendBoundaries(FIRST, far, OPERATION);
        vm.warp(EPOCH_END + 61 days); // the fourth epoch, until the year 10000
        ICredits.Award[] memory awards = _awards(1, PER_AWARD);
        for (uint64 i = 0; i < 10; ++i) {
            _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, _operation())), "");
        }
        bytes memory spent = abi.encodeWithSelector(ICredits.CreditsAwardOverBudget.selector, issuer, PER_AWARD, 0);
        _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, _operation())), spent);
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, issuer, PER_AWARD, 2 * PER_EPOCH, operationId);
        _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, _operation())), "");
    }

    function _command(address sender, bytes memory data) private {
        _send(address(organisations), sender, data, "");
    }

    function _revoke(address sender, uint16 programmeId) private {
        bytes memory data =
            abi.encodeCall(memberships.revoke, (programmeId, _one(uint32(3)), REASON, EVIDENCE, _operation()));
        _send(address(memberships), sender, data, "");
    }
}
